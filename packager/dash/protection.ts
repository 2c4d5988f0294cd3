/**
 * What a manifest says of media in `cbcs` (ISO 23001-7, 11.2), and where ClearKey players ask for the keys. The two ways to
 * name that place are read by different players: DASH-IF's by Shaka, that of the first ClearKey guidelines by others.
 */
import { slotOf, isProtected, type Protected } from '../protect/keys.ts';
import type { TrackSnapshot } from '../snapshot.ts';
import { element, escapeXml } from './xml.ts';

export type ManifestProtection = {
  readonly sealed: Protected;
  /** In full: players take it as it is written, and not from where the manifest lies. */
  readonly licence: string;
};

/** On the MPD, where something is protected. */
export const protectionNames = {
  'xmlns:cenc': 'urn:mpeg:cenc:2013',
  'xmlns:clearkey': 'http://dashif.org/guidelines/clearKey',
  'xmlns:dashif': 'https://dashif.org/CPS',
} as const;

/** In front of what else a set holds (the schema's order, ISO/IEC 23009-1 5.3.7.3). */
export const contentProtection = ({ sealed, licence }: ManifestProtection, track: TrackSnapshot, epoch: number): string => {
  if (!isProtected(track)) return '';
  const { kid } = sealed.ring.key(slotOf(sealed, track, { epoch, msn: 0 }));
  const place = escapeXml(licence);
  return (
    element('ContentProtection', { schemeIdUri: 'urn:mpeg:dash:mp4protection:2011', value: 'cbcs', 'cenc:default_KID': uuid(kid) }) +
    element(
      'ContentProtection',
      { schemeIdUri: 'urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e', value: 'ClearKey1.0' },
      element('clearkey:Laurl', { Lic_type: 'EME-1.0' }, place).trimEnd() + element('dashif:Laurl', {}, place).trimEnd(),
    )
  );
};

const uuid = (kid: Buffer): string => kid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
