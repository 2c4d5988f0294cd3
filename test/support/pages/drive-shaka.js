/** Shaka, as it comes or configured: HLS or DASH, which it tells by the address. */
/* global shaka */
globalThis.drive = ({ video, src, config, fail }) => {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  const failed = (error, type) => {
    const { code, data = [], severity, message } = error;
    fail({ type, details: `${code ?? message} ${data.filter((part) => typeof part !== 'object').join(' ')}`, fatal: severity !== 1, code });
  };
  player.addEventListener('error', ({ detail }) => failed(detail, 'shaka'));
  player.configure(config);
  const load = async () => {
    await player.attach(video);
    await player.load(src);
    await video.play();
  };
  load().catch((error) => failed(error, 'load'));
  // One rung of the picture beside the sound that plays now.
  const variants = () => player.getVariantTracks().toSorted((a, b) => a.bandwidth - b.bandwidth);
  return {
    player,
    latency: () => (player.isLive() ? player.getStats().liveLatency : null),
    targetLatency: () => player.getConfiguration().streaming.liveSync.targetLatency,
    seekable: () => player.seekRange(),
    goLive: () => player.goToLive(),
    qualities: () => variants().map(({ height, bandwidth }) => ({ height, bandwidth })),
    choose: (index, keepBuffer) => {
      player.configure('abr.enabled', index === null);
      const chosen = index === null ? undefined : variants()[index];
      if (chosen) player.selectVariantTrack(chosen, !keepBuffer);
    },
    texts: () => player.getTextTracks().map(({ language, label }) => ({ language, name: label ?? '' })),
    chooseText: (wanted) => {
      player.selectTextTrack(player.getTextTracks().find(({ language }) => language === wanted) ?? null);
    },
    dateOfPicture: () => player.getPlayheadTimeAsDate()?.getTime() ?? null,
  };
};
