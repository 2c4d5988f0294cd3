/** AAC as the rest of Millrace sees it: configuration, codec string, silence. */
export { aacCodecString, parseAudioSpecificConfig } from './aac-config.ts';
export { silentAacFrame } from './aac-silence.ts';
