/** What may be wrong with a stream, and what to do about it. English. Apart from all else: only hosts read it. */
export const enFindings = {
  videoIngestionStarved: {
    what: 'The server gets less than it plays: {percent}% of the speed of time over the last ten seconds. Viewers stop.',
    fix: 'Lower the bitrate, or use a cable instead of Wi-Fi. If your encoder shows an overload, make the picture smaller.',
  },
  videoIngestionFasterThanRealtime: {
    what: 'Your encoder sends {times} times as fast as time passes.',
    fix: 'With ffmpeg, put -re in front of the input. An encoder that is catching up stops this by itself.',
  },
  audioIngestionStarved: {
    what: 'The sound stopped {seconds} seconds ago. Viewers hear silence.',
    fix: 'Look for a source that is muted or unplugged, and for the audio track of the stream output.',
  },
  noVideoStream: {
    what: 'There is no picture in the stream, only sound.',
    fix: 'Nothing to do, if that is what you want.',
  },
  noAudioStream: {
    what: 'There is no sound in the stream.',
    fix: 'Choose a microphone or another audio source, and check that its track goes into the stream.',
  },
  videoCodec: {
    what: 'The picture comes as {codec}, which cannot be carried here.',
    fix: 'Choose H.264 as the video encoder.',
  },
  audioCodec: {
    what: 'The sound comes as {codec}, which cannot be carried here.',
    fix: 'Choose AAC as the audio encoder.',
  },
  videoCodecProtection: {
    what: 'The picture comes as {codec}, and cbcs, with which this channel is protected, is for H.264 only. Viewers get nothing of this broadcast.',
    fix: 'Choose H.264 as the video encoder. Or protect the channel with AES-128, which takes {codec}, and start again.',
  },
  audioCodecProtection: {
    what: 'The sound comes as {codec}, and cbcs, with which this channel is protected, is for AAC only. Viewers get nothing of this broadcast.',
    fix: 'Choose AAC as the audio encoder. Or protect the channel with AES-128, which takes {codec}, and start again.',
  },
  videoProfile: {
    what: 'The picture is H.264 {profile}, {chroma} with {bits} bits. Browsers cannot show it.',
    fix: 'Choose the profile high, and NV12 (4:2:0, 8 bits) as the colour format.',
  },
  videoInterlaced: {
    what: 'The picture is interlaced. Moving edges look like combs in a browser.',
    fix: 'Set the camera or the encoder to progressive, or switch deinterlacing on for the source.',
  },
  gopSizeOver: {
    what: 'Key frames are {seconds} seconds apart, more than {limit}. Viewers wait long before they see anything.',
    fix: 'Set the key frame interval to 2 s. In OBS it is 0 (auto) until you change it.',
  },
  gopSizeLong: {
    what: 'Key frames are {seconds} seconds apart, more than {limit}. Viewers wait as long for their first picture.',
    fix: 'Set the key frame interval to 2 s.',
  },
  gopSizeShort: {
    what: 'There is a key frame every {seconds} seconds. So many cost quality.',
    fix: 'Set the key frame interval to 2 s.',
  },
  gopMismatch: {
    what: 'Key frames come unevenly: every {from} to {to} seconds.',
    fix: 'Set a fixed key frame interval and switch scene-cut detection off (x264: scenecut=0).',
  },
  openGop: {
    what: 'Pictures refer across key frames. Whoever starts watching at one sees broken pictures for a moment.',
    fix: 'Switch open GOP off (x264: open_gop=0).',
  },
  bitrateHigh: {
    what: '{kbps} kbps is a lot for {width}×{height} at {fps} fps; {limit} is plenty. Some viewers’ lines cannot carry it.',
    fix: 'Lower the bitrate. Viewers get exactly what you send.',
  },
  bitrateLow: {
    what: '{kbps} kbps is little for {width}×{height} at {fps} fps; usual is {limit} or more. Movement may look blocky.',
    fix: 'Raise the bitrate, or make the picture smaller. For a picture that hardly moves this is fine.',
  },
  frameRateHigh: {
    what: '{fps} pictures a second are more than the {limit} that most screens show.',
    fix: 'Set 30 or 60 fps.',
  },
  frameRateLow: {
    what: '{fps} pictures a second come, where the stream says {declared}.',
    fix: 'Your encoder or your line drops them: choose a faster preset, a smaller picture or a lower bitrate.',
  },
  videoResolutionChanged: {
    what: 'The picture changed from {from} to {to}.',
    fix: 'Keep one size for a whole broadcast: players stop for a moment at the change.',
  },
  videoCodecMismatch: {
    what: 'The video codec changed from {from} to {to}.',
    fix: 'Keep one codec for a whole broadcast: a change starts a new video.',
  },
  audioCodecMismatch: {
    what: 'The audio codec changed from {from} to {to}.',
    fix: 'Keep one codec for a whole broadcast: a change starts a new video.',
  },
  audioSampleRate: {
    what: 'The sound has {hz} samples a second.',
    fix: 'Set 48 kHz: every device plays it as it is.',
  },
  audioSampleRateMismatch: {
    what: 'The sample rate changed from {from} to {to} Hz.',
    fix: 'Keep one sample rate for a whole broadcast.',
  },
  audioTooManyChannels: {
    what: 'The sound has {channels} channels. Not every browser plays them.',
    fix: 'Set stereo.',
  },
  arrivalUneven: {
    what: 'Your stream arrives in bursts, up to {seconds} seconds late. Viewers at low latency stop.',
    fix: 'Use a cable and CBR; over a bad line, SRT. Or set the latency of the channel to standard.',
  },
  stampsJumped: {
    what: 'The time in your stream has jumped, {times} times in the last minute. There is a seam in the video.',
    fix: 'A file that plays in a loop does this, and so does a source that was restarted. If neither is so, restart the encoder.',
  },
  reconnects: {
    what: 'The connection was lost and came back {times} times in the last ten minutes.',
    fix: 'Use a cable, lower the bitrate, or send over SRT.',
  },
  twoEncoders: {
    what: 'A second encoder sends with the same stream key from your address. It is refused, so that the two do not take turns. Tries in the last five minutes: {times}.',
    fix: 'Stop one of the two: look for another OBS, or for a plug-in that sends as well. To change over to the other one, stop this one first.',
  },
  ladderShed: {
    what: 'The server has too much to do: it does not make {heights} for now. Viewers who would get them are given another size. What you send goes on unharmed.',
    fix: 'Nothing to do: they come back by themselves when there is room. If it happens often, choose a lighter ladder for the channel, or none.',
  },
  ladderCut: {
    what: 'The server cannot make all of the smaller pictures that this channel asks for: this broadcast goes without {heights}.',
    fix: 'Choose a lighter ladder in the settings of the channel, or begin again when the server has less to do. It counts from the next broadcast on.',
  },
  ladderGone: {
    what: 'The channel asks for the smaller pictures of “{ladder}”, which this server does not have any more: viewers get only what you send.',
    fix: 'Choose another in the settings of the channel. It counts from the next broadcast on.',
  },
  ladderRestarted: {
    what: 'The encoder of the smaller pictures failed and was begun anew (times in this broadcast: {times}). What was missing is made up for where there is time.',
    fix: 'Nothing to do if it happens once. If it goes on, tell whoever runs this server: its log says why.',
  },
  opusOnly: {
    what: 'The sound is Opus, and this server makes no AAC of it. Older Apple devices, televisions and players of MPEG-TS hear nothing.',
    fix: 'Choose AAC in the encoder, or have whoever runs this server install ffmpeg. It counts from the next broadcast on.',
  },
  secondSoundSilent: {
    what: 'The AAC that is made of your sound is silent for now: its encoder does not run. Players that know Opus hear everything.',
    fix: 'Nothing to do: it is begun anew by itself. If it goes on, choose AAC in the encoder, and tell whoever runs this server: its log says why.',
  },
  srtLatencyLow: {
    what: 'The SRT latency of {latency} ms is too short for this line: a round trip takes {rtt} ms.',
    fix: 'Set at least {wanted} ms in the encoder. Lost packets then have time to be sent again.',
  },
  srtLossHigh: {
    what: 'The line loses {percent}% of the packets. They are sent again.',
    fix: 'Use a steadier line, or lower the bitrate. More SRT latency makes this safer.',
  },
  srtDropped: {
    what: '{packets} packets came too late in the last ten seconds. Pictures are missing.',
    fix: 'Raise the SRT latency in the encoder, or lower the bitrate.',
  },
  srtUndecryptable: {
    what: '{packets} packets of the last ten seconds could not be decrypted.',
    fix: 'Set the passphrase of the channel again in the encoder.',
  },
} as const;
