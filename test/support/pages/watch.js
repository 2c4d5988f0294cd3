/**
 * The page that watches a stream for a test: `?src=` is played by the player that drive-….js ties to the element
 * (`&config=` is what that player is configured with), and every picture that it was shown, every stall, every change
 * of speed and every error is written down. `watch.report()` hands it all over; the other members are what a person
 * would do.
 *
 * `readStamp` comes from /stamp.js, which player-page.ts makes of stamp.ts.
 */
/* global drive, readStamp */
const watch = (() => {
  const query = new URLSearchParams(location.search);
  const video = document.querySelector('video');
  const startedAt = performance.now();

  /** @type {{ stamp: number | null, shownAt: number, submittedAt: number, mediaTime: number, presented: number }[]} */
  const pictures = [];
  const stalls = [];
  const errors = [];
  const latencies = [];
  const rates = [];
  let firstPlayingAt = null;
  let firstShownAt = null;
  let stalledSince = null;

  // Only the stamp is drawn: the whole picture would cost ten times as much.
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });

  const look = (frame) => {
    const { displayWidth: width, displayHeight: height } = frame;
    const rows = Math.floor(height / 6);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== rows) canvas.height = rows;
    context.drawImage(frame, 0, 0, width, rows, 0, 0, width, rows);
    return readStamp({ pixels: context.getImageData(0, 0, width, rows).data, width, height, step: 4 });
  };

  const onPicture = (_now, facts) => {
    video.requestVideoFrameCallback(onPicture);
    // It is on the screen before the element says that it has one, and what is looked at below is the next one then.
    firstShownAt ??= performance.timeOrigin + facts.expectedDisplayTime;
    // A seek has begun meanwhile: the element has no picture.
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    // What is drawn from the element may be a later picture than the one that the facts are about: the compositor goes
    // on while a busy machine lets this thread wait. A frame keeps its time with it.
    const frame = new VideoFrame(video);
    pictures.push({
      stamp: look(frame),
      // The moment at which the picture was (or is about to be) on the screen, as a wall clock. A busy compositor
      // expects it hundreds of milliseconds too late or too early.
      shownAt: performance.timeOrigin + facts.expectedDisplayTime,
      // The moment at which the compositor got it: always after the one before.
      submittedAt: performance.timeOrigin + facts.presentationTime,
      mediaTime: frame.timestamp / 1_000_000,
      presented: facts.presentedFrames,
    });
    frame.close();
  };
  video.requestVideoFrameCallback(onPicture);

  const since = () => performance.now() - startedAt;
  const fail = (error) => errors.push({ at: since(), ...error });
  video.addEventListener('playing', () => {
    firstPlayingAt ??= since();
    if (stalledSince !== null) stalls.push({ at: stalledSince, ms: since() - stalledSince });
    stalledSince = null;
  });
  // A seek empties the buffer by itself: what follows is no stall.
  video.addEventListener('waiting', () => {
    if (firstPlayingAt !== null && !video.ended && !video.seeking) stalledSince ??= since();
  });
  video.addEventListener('ratechange', () => {
    if (rates.at(-1)?.rate !== video.playbackRate) rates.push({ at: since(), rate: video.playbackRate });
  });
  video.addEventListener('error', () => fail({ type: 'video', details: video.error?.message, fatal: true }));

  const driver = drive({ video, src: query.get('src'), config: JSON.parse(query.get('config') ?? '{}'), fail });
  setInterval(() => {
    const seconds = driver.latency();
    if (seconds !== null) latencies.push({ at: since(), seconds, rate: video.playbackRate });
  }, 250);

  return {
    video,
    /** The player itself (null for the browser's own): for what one player alone can do. */
    player: driver.player,
    seekable: driver.seekable,
    goLive: driver.goLive,
    qualities: driver.qualities,
    choose: driver.choose,
    texts: driver.texts,
    chooseText: driver.chooseText,
    dateOfPicture: driver.dateOfPicture,
    /** Every line of text that the element holds now, also of tracks that are not shown. */
    cues: () =>
      [...video.textTracks].flatMap(({ mode, cues }) =>
        mode === 'disabled' ? [] : [...(cues ?? [])].map(({ startTime, endTime, text }) => ({ startTime, endTime, text })),
      ),
    report: () => {
      const quality = video.getVideoPlaybackQuality();
      return {
        pictures,
        stalls: stalledSince === null ? stalls : [...stalls, { at: stalledSince, ms: since() - stalledSince }],
        errors,
        latencies,
        rates,
        firstPlayingMs: firstPlayingAt,
        firstShownAt,
        currentTime: video.currentTime,
        ended: video.ended,
        paused: video.paused,
        readyState: video.readyState,
        width: video.videoWidth,
        height: video.videoHeight,
        droppedFrames: quality.droppedVideoFrames,
        totalFrames: quality.totalVideoFrames,
        targetLatency: driver.targetLatency(),
      };
    },
    /** Forgets what was seen until now: a measurement starts when playback is even. */
    forget: () => {
      for (const kept of [pictures, stalls, errors, latencies, rates]) kept.length = 0;
    },
  };
})();
window.watch = watch;
