/**
 * What a client and we tell each other of Enhanced RTMP in `connect` and its answer ("Enhancing NetConnection connect
 * Command"). Only what is carried to viewers is announced, and only to whoever speaks of it.
 */
import type { AmfObject, AmfValue } from './amf0.ts';
import { audioFourCcs, videoFourCcs } from './enhanced-tags.ts';

/** FourCcInfoMask: nothing is decoded or encoded here. */
const canForward = 4;
const reconnect = 1;

const maskOf = (capsEx: AmfValue): number => (typeof capsEx === 'number' && Number.isInteger(capsEx) && capsEx >= 0 && capsEx <= 0xffff_ffff ? capsEx >>> 0 : 0);

/** The client goes and comes back when it is asked to. */
export const canReconnect = (about: AmfObject): boolean => (maskOf(about['capsEx']) & reconnect) !== 0;

const forwarded = (fourCcs: object): AmfObject => Object.fromEntries(Object.keys(fourCcs).map((fourCc) => [fourCc, canForward]));

/** What the answer to `connect` says besides. A client of version 1 knows of the list alone, and an old one of nothing. */
export const capabilities = (about: AmfObject): AmfObject => {
  const second = ['videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx'].some((name) => about[name] !== undefined);
  if (!second && about['fourCcList'] === undefined) return {};
  const fourCcList = [...Object.keys(videoFourCcs), ...Object.keys(audioFourCcs)];
  if (!second) return { fourCcList };
  return {
    fourCcList,
    videoFourCcInfoMap: forwarded(videoFourCcs),
    audioFourCcInfoMap: forwarded(audioFourCcs),
    capsEx: canReconnect(about) ? reconnect : 0,
  };
};
