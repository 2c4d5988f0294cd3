/** How a channel or a video is protected: what it costs, what plays it, what it leaves out. */
export const enProtection = {
  'protection.label': 'Encryption',
  'protection.none': 'None',
  'protection.aes-128': 'AES-128',
  'protection.cbcs': 'cbcs with ClearKey',
  'protection.none.text': 'Served as it is: every player plays it, it can be downloaded, and it costs the server nothing.',
  'protection.aes-128.text':
    'Every file is encrypted, whatever its codec. These pages play it, and so do other players of HLS, such as VLC. No DASH and no downloads; a little work for the server.',
  'protection.cbcs.text':
    'Picture and sound are encrypted inside the files. H.264 and AAC only: what comes in HEVC, AV1, VP9 or Opus is left out, and without a picture or a sound viewers get nothing. Current browsers play it over https, by HLS and DASH; VLC and ffmpeg do not. No downloads; more work for the server than AES-128.',
  'protection.next': 'Takes effect with the next broadcast. What is live, and the recordings, stay as they are.',
  'protection.now': 'A change takes effect at once, and whoever is watching loads it anew. Copies that somebody has already stay with them.',
  'protection.live': 'It is live, and stays as it began. Change it when the broadcast has ended, or change the channel for the next one.',
  'protection.notCarried': 'cbcs is for H.264 and AAC, and this video is something else. AES-128 takes any codec.',
} as const;
