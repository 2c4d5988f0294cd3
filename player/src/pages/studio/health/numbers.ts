/** Numbers of a stream as people read them. */
import type { AudioForm, VideoForm } from '../../../api/health.ts';
import { language, t } from '../../../words/index.ts';

const shown = (value: number, digits: number): string => new Intl.NumberFormat(language.get(), { maximumFractionDigits: digits }).format(value);

export const rateText = (bits: number): string =>
  bits < 1e6 ? t('health.rate.kbps', { rate: shown(bits / 1000, 0) }) : t('health.rate.mbps', { rate: shown(bits / 1e6, bits < 10e6 ? 2 : 1) });

/** 29.97, and not 30; 30, and not 30.00. */
export const fpsText = (fps: number): string => t('health.fps', { fps: shown(fps, 2) });

export const secondsText = (ms: number): string => shown(ms / 1000, 1);
export const numberText = (value: number): string => shown(value, 0);

const codecNames: Readonly<Record<string, string>> = { h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', aac: 'AAC', opus: 'Opus' };
const codecName = (codec: string): string => codecNames[codec] ?? codec;

/** "H.264 High, 4 · 1920×1080" */
export const videoText = ({ codec, profile, width, height }: VideoForm): string =>
  [[codecName(codec), profile].filter(Boolean).join(' '), width !== null && height !== null ? `${width}×${height}` : ''].filter(Boolean).join(' · ');

export const audioText = ({ codec, sampleRate, channels }: AudioForm): string => {
  if (sampleRate === null || channels === null) return codecName(codec);
  const many = channels === 1 ? t('health.channels.mono') : channels === 2 ? t('health.channels.stereo') : t('health.channels.many', { count: channels });
  return t('health.sound', { codec: codecName(codec), khz: shown(sampleRate / 1000, 2), channels: many });
};

export const protocolName = (protocol: string): string => protocol.toUpperCase();
