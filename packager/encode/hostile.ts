/**
 * How ffmpeg and ffprobe are pointed at a file that a stranger sent: as what our own look at its first bytes said that it
 * is, and as nothing else. A playlist, a list of files, a document that draws pictures of other documents never gets to
 * its demuxer, and only decoders that people's videos need are there.
 */
import type { Container } from '../media/sniff.ts';
import type { VideoCodec } from '../media/unit.ts';
import { inputName } from './sandbox.ts';

/** What the sniff tells apart, and the demuxer that reads it. */
const demuxers: { readonly [container in Container]: string } = {
  mp4: 'mov',
  matroska: 'matroska',
  mpegts: 'mpegts',
  flv: 'flv',
  avi: 'avi',
  mp3: 'mp3',
  adts: 'aac',
  flac: 'flac',
  wav: 'wav',
  ogg: 'ogg',
};

/** 8192 × 8192. */
export const mostPixels = 67_108_864;
export const mostStreams = 256;
const mostAtOnce = 512 * 1024 * 1024;

/** By the names of decoders, of which a codec may have several. */
const pictureDecoders = [
  ...['h264', 'hevc', 'av1', 'libdav1d', 'libaom-av1', 'vp8', 'vp9', 'libvpx', 'libvpx-vp9', 'theora', 'vp6', 'vp6a', 'vp6f'],
  ...['mpeg1video', 'mpeg2video', 'mpegvideo', 'mpeg4', 'msmpeg4v1', 'msmpeg4v2', 'msmpeg4', 'h263', 'h263i', 'h263p', 'flv', 'wmv1', 'wmv2', 'wmv3', 'vc1', 'svq1', 'svq3'],
  ...['mjpeg', 'dvvideo', 'prores', 'dnxhd', 'cfhd', 'ffv1', 'huffyuv', 'ffvhuff', 'utvideo', 'rawvideo', 'v210', 'qtrle', 'png', 'hap', 'jpeg2000', 'cinepak', 'indeo3', 'msrle', 'msvideo1', 'tscc', 'cscd', 'camtasia', 'rpza'],
];
const soundDecoders = [
  ...['aac', 'aac_latm', 'mp3', 'mp3float', 'mp2', 'mp2float', 'mp1', 'mp1float', 'ac3', 'eac3', 'dca', 'truehd', 'mlp', 'flac', 'alac', 'opus', 'libopus', 'vorbis', 'libvorbis', 'speex', 'libspeex'],
  ...['wmav1', 'wmav2', 'wmapro', 'wmalossless', 'amrnb', 'amrwb', 'nellymoser', 'gsm', 'gsm_ms', 'qdm2', 'wavpack', 'tta', 's302m'],
  ...['pcm_s16le', 'pcm_s16be', 'pcm_s24le', 'pcm_s24be', 'pcm_s32le', 'pcm_s32be', 'pcm_s8', 'pcm_u8', 'pcm_u16le', 'pcm_f32le', 'pcm_f32be', 'pcm_f64le', 'pcm_f64be', 'pcm_alaw', 'pcm_mulaw', 'pcm_bluray', 'pcm_dvd'],
  ...['adpcm_ms', 'adpcm_ima_wav', 'adpcm_ima_qt', 'adpcm_swf', 'adpcm_yamaha'],
];
/** Nobody decodes them, but ffprobe opens a decoder for every track that has one, and ends where it may not. */
const subtitleDecoders = ['subrip', 'srt', 'ass', 'ssa', 'webvtt', 'mov_text', 'text', 'dvbsub', 'dvdsub', 'pgssub', 'xsub', 'cc_dec', 'libzvbi_teletextdec', 'stl', 'sami', 'realtext'];
const decoders = [...pictureDecoders, ...soundDecoders, ...subtitleDecoders].join(',');

/** What the pictures of a live stream may be decoded with, of which a codec may have several. */
export const liveDecoders: Readonly<Record<VideoCodec, string>> = { h264: 'h264', hevc: 'hevc', av1: 'libdav1d,libaom-av1,av1', vp9: 'vp9,libvpx-vp9' };

/** Said ahead of everything else. */
export const calm: readonly string[] = ['-hide_banner', '-v', 'error', '-max_alloc', String(mostAtOnce)];

/** The file itself. Its name is ours, and said to be a file: nothing in it can be taken for an option or an address. */
export const hostileInput = (container: Container): string[] => {
  const demuxer = demuxers[container];
  return [
    ...['-f', demuxer, '-format_whitelist', demuxer, '-protocol_whitelist', 'file', '-codec_whitelist', decoders],
    ...['-max_streams', String(mostStreams), '-max_pixels', String(mostPixels), '-probesize', '20M', '-analyzeduration', '10M'],
    // Media that is said to lie in other files stays there.
    ...(container === 'mp4' ? ['-enable_drefs', '0', '-use_absolute_path', '0'] : []),
    ...['-i', `file:${inputName}`],
  ];
};
