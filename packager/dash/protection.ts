/**
 * What a manifest says of media in `cbcs` (ISO 23001-7, 11.2), and where ClearKey players ask for the keys. The two ways to
 * name that place are read by different players: DASH-IF's by Shaka, that of the first ClearKey guidelines by others.
 */
import { isProtected, keyOf, slotOf, type Protected } from '../protect/keys.ts';
import type { KeySignal } from '../protect/signals.ts';
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

/** In front of what else a set holds (the schema's order, ISO/IEC 23009-1 5.3.7.3). `msn`: of a segment under the key. */
export const contentProtection = ({ sealed, licence }: ManifestProtection, track: TrackSnapshot, msn: number): string => {
  if (!isProtected(track)) return '';
  const { kid, signals } = keyOf(sealed, slotOf(sealed, msn));
  return (
    element('ContentProtection', { schemeIdUri: 'urn:mpeg:dash:mp4protection:2011', value: 'cbcs', 'cenc:default_KID': uuid(kid) }) +
    signals.map((signal) => (signal.by === 'server' ? clearKey(licence) : system(signal))).join('')
  );
};

const clearKey = (licence: string): string => {
  const place = escapeXml(licence);
  return element(
    'ContentProtection',
    { schemeIdUri: 'urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e', value: 'ClearKey1.0' },
    element('clearkey:Laurl', { Lic_type: 'EME-1.0' }, place).trimEnd() + element('dashif:Laurl', {}, place).trimEnd(),
  );
};

const system = ({ systemId, pssh, dash }: Extract<KeySignal, { by: 'system' }>): string => {
  if (!dash) return '';
  const box = pssh ? element('cenc:pssh', {}, pssh.toString('base64')).trimEnd() : '';
  return element('ContentProtection', { schemeIdUri: `urn:uuid:${systemId}`, value: dash.value ?? undefined }, box + dash.xml);
};

const uuid = (kid: Buffer): string => kid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
