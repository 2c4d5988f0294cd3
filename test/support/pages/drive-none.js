/** The browser plays by itself: a file, or what it knows of HLS. */
globalThis.drive = ({ video, src, fail }) => {
  // Without it a page may not look at pictures that come from another origin.
  video.crossOrigin = 'anonymous';
  video.src = src;
  video.play().catch((error) => fail({ type: 'play', details: error.message, fatal: true }));
  return {
    player: null,
    latency: () => null,
    targetLatency: () => null,
    seekable: () => (video.seekable.length === 0 ? null : { start: video.seekable.start(0), end: video.seekable.end(0) }),
    goLive: () => {},
    qualities: () => [],
    choose: () => {},
    texts: () => [],
    chooseText: () => {},
    dateOfPicture: () => null,
  };
};
