/** hls.js, as it comes or with the settings that it is given. */
/* global Hls */
globalThis.drive = ({ video, src, config, fail }) => {
  const hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_event, data) => {
    fail({ type: data.type, details: data.details, fatal: data.fatal, code: data.response?.code });
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    video.play().catch((error) => fail({ type: 'play', details: error.message, fatal: true }));
  });
  hls.loadSource(src);
  hls.attachMedia(video);
  return {
    player: hls,
    latency: () => (Number.isFinite(hls.latency) && hls.latency > 0 ? hls.latency : null),
    targetLatency: () => hls.targetLatency,
    seekable: () => {
      const details = hls.latestLevelDetails;
      return details ? { start: details.fragmentStart, end: details.edge } : null;
    },
    goLive: () => {
      if (hls.liveSyncPosition !== null) video.currentTime = hls.liveSyncPosition;
    },
    qualities: () => hls.levels.map(({ height, bitrate }) => ({ height, bandwidth: bitrate })),
    choose: (index, keepBuffer) => {
      hls[keepBuffer ? 'loadLevel' : 'currentLevel'] = index ?? -1;
    },
    texts: () => hls.subtitleTracks.map(({ lang, name }) => ({ language: lang ?? '', name })),
    chooseText: (language) => {
      hls.subtitleDisplay = language !== null;
      hls.subtitleTrack = language === null ? -1 : hls.subtitleTracks.findIndex(({ lang }) => lang === language);
    },
    dateOfPicture: () => hls.playingDate?.getTime() ?? null,
  };
};
