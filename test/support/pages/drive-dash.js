/** dash.js, as it comes or with the settings that it is given. */
/* global dashjs */
globalThis.drive = ({ video, src, config, fail }) => {
  const player = dashjs.MediaPlayer().create();
  // The clock is the one that the manifest names. The one that dash.js brings along is on the internet.
  player.clearDefaultUTCTimingSources();
  player.updateSettings(config);
  player.on('error', ({ error }) => fail({ type: 'dash', details: `${error.message ?? error}`, fatal: true, code: error.code }));
  player.on('playbackError', ({ error }) => fail({ type: 'playback', details: `${error?.message ?? error}`, fatal: true }));
  player.initialize(video, src, true);
  const ready = () => player.isReady() && player.getActiveStream() !== null;
  const rungs = () => (ready() ? player.getRepresentationsByType('video').toSorted((a, b) => a.bandwidth - b.bandwidth) : []);
  const texts = () => (ready() ? player.getTracksFor('text') : []);
  return {
    player,
    latency: () => (ready() && player.isDynamic() ? player.getCurrentLiveLatency() : null),
    targetLatency: () => (ready() && player.isDynamic() ? player.getTargetLiveDelay() : null),
    seekable: () => {
      if (!ready()) return null;
      if (!player.isDynamic()) return { start: 0, end: player.duration() };
      const { start, end } = player.getDvrWindow();
      return { start, end };
    },
    goLive: () => player.seekToOriginalLive(),
    qualities: () => rungs().map(({ height, bandwidth }) => ({ height, bandwidth })),
    choose: (index, keepBuffer) => {
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: index === null } } } });
      const chosen = index === null ? undefined : rungs()[index];
      if (chosen) player.setRepresentationForTypeById('video', chosen.id, !keepBuffer);
    },
    texts: () => texts().map(({ lang, labels }) => ({ language: lang ?? '', name: labels?.[0]?.text ?? '' })),
    chooseText: (language) => {
      player.enableText(language !== null);
      player.setTextTrack(texts().findIndex(({ lang }) => lang === language));
    },
    dateOfPicture: () => (ready() && player.isDynamic() ? player.timeAsUTC() * 1000 : null),
  };
};
