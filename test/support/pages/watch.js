/**
 * The page that watches a stream for a test: it plays `?src=` by hls.js (or plain, with `&plain=1`) and writes down
 * every picture that it was shown, every stall and every error. `watch.report()` hands it all over.
 *
 * `readStamp` comes from /stamp.js, which player-page.ts makes of stamp.ts.
 */
/* global Hls, readStamp */
const watch = (() => {
  const query = new URLSearchParams(location.search);
  const src = query.get('src');
  const settings = JSON.parse(query.get('hls') ?? '{}');
  const video = document.getElementById('video');
  const startedAt = performance.now();

  /** @type {{ stamp: number | null, shownAt: number, mediaTime: number, presented: number }[]} */
  const pictures = [];
  const stalls = [];
  const errors = [];
  const latencies = [];
  let firstPlayingAt = null;
  let stalledSince = null;

  // Only the stamp is drawn: the whole picture would cost ten times as much.
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });

  const look = () => {
    const width = video.videoWidth;
    const height = video.videoHeight;
    const rows = Math.floor(height / 6);
    if (width === 0 || rows === 0) return null;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== rows) canvas.height = rows;
    context.drawImage(video, 0, 0, width, rows, 0, 0, width, rows);
    return readStamp({ pixels: context.getImageData(0, 0, width, rows).data, width, height, step: 4 });
  };

  const onPicture = (_now, facts) => {
    video.requestVideoFrameCallback(onPicture);
    const stamp = look();
    pictures.push({
      stamp,
      // The moment at which the picture was (or is about to be) on the screen, as a wall clock.
      shownAt: performance.timeOrigin + facts.expectedDisplayTime,
      mediaTime: facts.mediaTime,
      presented: facts.presentedFrames,
    });
  };
  video.requestVideoFrameCallback(onPicture);

  const since = () => performance.now() - startedAt;
  video.addEventListener('playing', () => {
    firstPlayingAt ??= since();
    if (stalledSince !== null) stalls.push({ at: stalledSince, ms: since() - stalledSince });
    stalledSince = null;
  });
  video.addEventListener('waiting', () => {
    if (firstPlayingAt !== null && !video.ended) stalledSince ??= since();
  });
  video.addEventListener('error', () => errors.push({ at: since(), type: 'video', details: video.error?.message, fatal: true }));

  let hls = null;
  if (query.get('plain')) {
    video.src = src;
    video.play().catch((error) => errors.push({ at: since(), type: 'play', details: error.message, fatal: true }));
  } else {
    hls = new Hls(settings);
    hls.on(Hls.Events.ERROR, (_event, data) => {
      errors.push({ at: since(), type: data.type, details: data.details, fatal: data.fatal, code: data.response?.code });
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      video.play().catch((error) => errors.push({ at: since(), type: 'play', details: error.message, fatal: true }));
    });
    hls.loadSource(src);
    hls.attachMedia(video);
    setInterval(() => {
      if (Number.isFinite(hls.latency) && hls.latency > 0) latencies.push({ at: since(), seconds: hls.latency, rate: video.playbackRate });
    }, 250);
  }

  return {
    hls,
    video,
    report: () => {
      const quality = video.getVideoPlaybackQuality();
      return {
        pictures,
        stalls: stalledSince === null ? stalls : [...stalls, { at: stalledSince, ms: since() - stalledSince }],
        errors,
        latencies,
        firstPlayingMs: firstPlayingAt,
        currentTime: video.currentTime,
        ended: video.ended,
        paused: video.paused,
        readyState: video.readyState,
        width: video.videoWidth,
        height: video.videoHeight,
        droppedFrames: quality.droppedVideoFrames,
        totalFrames: quality.totalVideoFrames,
        targetLatency: hls?.targetLatency ?? null,
      };
    },
    /** Forgets what was seen until now: a measurement starts when playback is even. */
    forget: () => {
      pictures.length = 0;
      stalls.length = 0;
      errors.length = 0;
      latencies.length = 0;
    },
  };
})();
window.watch = watch;
