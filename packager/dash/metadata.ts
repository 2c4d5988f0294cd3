/** What a manifest says of what lies inside the media of a track: events (emsg) and closed captions. */
import { emsgScheme } from '../cmaf/emsg.ts';
import type { PresentationSnapshot, TrackSnapshot } from '../snapshot.ts';
import { element } from './xml.ts';

/**
 * 5.10.3.2: players look for event boxes only where they are told to, and take a Period's sets for all that it will ever
 * have. So the set that would carry them says so while it is live, whether any came yet or not.
 */
export const inbandEvents = (snapshot: PresentationSnapshot, track: TrackSnapshot): string => {
  const lead = snapshot.tracks.find(({ kind }) => kind === 'video') ?? snapshot.tracks.find(({ kind }) => kind === 'audio');
  if (track !== lead) return '';
  const { state, events } = snapshot;
  return (['id3', 'scte35'] as const)
    .filter((scheme) => state === 'live' || events.some((event) => event.scheme === scheme))
    .map((scheme) => element('InbandEventStream', { schemeIdUri: emsgScheme[scheme] }))
    .join('');
};

/** CEA-608 and 708 (SCTE 214-1, 7.2): `CC1` … `CC4`, and services by their number. The language of none is known. */
export const accessibility = ({ policy }: PresentationSnapshot, track: TrackSnapshot): string => {
  if (track.kind !== 'video') return '';
  const fields = policy.closedCaptions.filter((name) => name.startsWith('CC'));
  const services = policy.closedCaptions.flatMap((name) => (name.startsWith('SERVICE') ? [name.slice('SERVICE'.length)] : []));
  return (
    (fields.length > 0 ? element('Accessibility', { schemeIdUri: 'urn:scte:dash:cc:cea-608:2015', value: fields.map((name) => `${name}=und`).join(';') }) : '') +
    (services.length > 0 ? element('Accessibility', { schemeIdUri: 'urn:scte:dash:cc:cea-708:2015', value: services.map((number) => `${number}=lang:und`).join(';') }) : '')
  );
};
