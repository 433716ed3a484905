// Runs in the page, beside a player of others': one way to speak to all of them.
const video = document.querySelector("video");
window.troubles = [];
/** Whether it plays there is seen by the picture: a promise of it may never be kept, and then nobody would say what is the matter. */
window.seek = (at) => {
  video.currentTime = at;
  video.play().catch(({ name, message }) => window.troubles.push({ name, message }));
};
window.cues = () => [...video.textTracks].flatMap((track) => [...(track.cues ?? [])].map((cue) => cue.text ?? cue.payload ?? ""));
const unique = (list) => [...new Set(list)];
/** From then on `hears` says which tone is heard, in hertz: by the sound itself, whatever a player says of it. */
window.listenIn = async () => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaElementSource(video).connect(analyser).connect(context.destination);
  await context.resume();
  const loudness = new Float32Array(analyser.frequencyBinCount);
  window.hears = () => {
    analyser.getFloatFrequencyData(loudness);
    const loudest = loudness.reduce((best, one, at) => (one > loudness[best] ? at : best), 0);
    return loudness[loudest] > -80 ? (loudest * context.sampleRate) / analyser.fftSize : 0;
  };
};

async function openHls(address) {
  const hls = new Hls({ startLevel: 0 });
  hls.on(Hls.Events.ERROR, (_event, { details, fatal, reason }) => window.troubles.push({ details, fatal, reason }));
  const parsed = new Promise((done) => hls.once(Hls.Events.MANIFEST_PARSED, done));
  hls.loadSource(address);
  hls.attachMedia(video);
  await parsed;
  return {
    heights: () => unique(hls.levels.map((level) => level.height)),
    choose: (height) => {
      hls.currentLevel = hls.levels.findIndex((level) => level.height === height);
    },
    audios: () => hls.audioTracks.map((track) => track.name),
    listen: (name) => {
      hls.audioTrack = hls.audioTracks.findIndex((track) => track.name === name);
    },
    encoding: (name, channels) => {
      const wanted = hls.allAudioTracks.find((track) => track.name === name && track.channels === String(channels));
      const { height } = hls.levels[hls.currentLevel];
      hls.setAudioOption(wanted);
      // A rung was chosen by hand: the one of the same height that has this sound.
      hls.currentLevel = hls.levels.findIndex((level) => level.height === height && level.hasAudioGroup(wanted.groupId));
    },
    texts: () => hls.subtitleTracks.map((track) => track.name),
    read: (index) => {
      hls.subtitleTrack = index;
    },
  };
}

async function openShaka(address) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener("error", ({ detail }) => window.troubles.push({ code: detail.code, data: String(detail.data) }));
  await player.attach(video);
  player.configure({ abr: { enabled: false } });
  await player.load(address);
  const active = () => player.getVariantTracks().find((track) => track.active);
  const select = (name, channels, height) => {
    const said = player.getVariantTracks().filter((track) => track.label === name && track.height === height);
    player.selectVariantTrack(said.find((track) => track.channelsCount === channels) ?? said[0], true);
  };
  return {
    heights: () => unique(player.getVariantTracks().map((track) => track.height)).sort((a, b) => a - b),
    choose: (height) => select(active().label, active().channelsCount, height),
    audios: () => unique(player.getVariantTracks().map((track) => track.label)),
    listen: (name) => select(name, 2, active().height),
    encoding: (name, channels) => select(name, channels, active().height),
    texts: () => player.getTextTracks().map((track) => track.label),
    read: async (index) => {
      await player.selectTextTrack(player.getTextTracks()[index]);
      await player.setTextVisibility?.(true);
    },
    picture: async (at) => {
      const [track] = player.getImageTracks();
      const found = track && (await player.getThumbnails(track.id, at));
      const { width, height, positionX, positionY, uris } = found ?? {};
      return { width, height, x: positionX, y: positionY, address: uris?.[0] };
    },
  };
}

async function openDash(address) {
  const player = dashjs.MediaPlayer().create();
  const { events } = dashjs.MediaPlayer;
  player.on(events.ERROR, ({ error }) => window.troubles.push(error?.message ?? String(error)));
  player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
  const ready = new Promise((done) => player.on(events.STREAM_INITIALIZED, done));
  player.initialize(video, address, true);
  await ready;
  const rungs = () => player.getRepresentationsByType("video");
  const nameOf = (track) => track.labels[0]?.text ?? track.id;
  return {
    heights: () => unique(rungs().map((rung) => rung.height)).sort((a, b) => a - b),
    choose: (height) => player.setRepresentationForTypeById("video", rungs().find((rung) => rung.height === height).id, true),
    audios: () => unique(player.getTracksFor("audio").map(nameOf)),
    listen: (name) => player.setCurrentTrack(player.getTracksFor("audio").find((track) => nameOf(track) === name)),
    encoding: (name, channels) => {
      const said = player.getTracksFor("audio").filter((track) => nameOf(track) === name);
      player.setCurrentTrack(said.find((track) => Number(track.audioChannelConfiguration[0]?.value) === channels));
    },
    texts: () => player.getTracksFor("text").map(nameOf),
    read: (index) => {
      player.enableText(true);
      player.setTextTrack(index);
    },
    picture: (at) =>
      new Promise((done) =>
        player.provideThumbnail(at, (found) => {
          const { url, width, height, x, y } = found ?? {};
          done({ width, height, x, y, address: url });
        }),
      ),
  };
}

async function openVideoJs(address) {
  // What is buffered of a playlist that it has read before is shown as it is: then not the whole film should be.
  videojs.Vhs.GOAL_BUFFER_LENGTH = 4;
  videojs.Vhs.MAX_GOAL_BUFFER_LENGTH = 4;
  const player = videojs(video, { html5: { vhs: { overrideNative: true } } });
  player.on("error", () => window.troubles.push(player.error()?.message));
  const ready = new Promise((done) => player.one("loadedmetadata", done));
  player.src({ src: address, type: address.endsWith(".mpd") ? "application/dash+xml" : "application/vnd.apple.mpegurl" });
  await ready;
  const list = (tracks) => Array.from({ length: tracks.length }, (_, index) => tracks[index]);
  const texts = () => list(player.textTracks()).filter((track) => track.kind === "subtitles" || track.kind === "captions");
  window.cues = () => texts().flatMap((track) => list(track.cues ?? []).map((cue) => cue.text));
  return {
    heights: () => unique(list(player.qualityLevels()).map((level) => level.height)).sort((a, b) => a - b),
    choose: (height) => {
      const levels = list(player.qualityLevels());
      // It changes over to the one that was enabled last.
      for (const level of levels) level.enabled = false;
      levels.find((level) => level.height === height).enabled = true;
    },
    audios: () => list(player.audioTracks()).map((track) => track.label),
    listen: (name) => {
      list(player.audioTracks()).find((track) => track.label === name).enabled = true;
    },
    texts: () => texts().map((track) => track.label),
    read: (index) => {
      for (const [at, track] of texts().entries()) track.mode = at === index ? "showing" : "disabled";
    },
  };
}

const openers = { "hls.js": openHls, shaka: openShaka, "dash.js": openDash, "video.js": openVideoJs };
window.open_ = async (player, address) => {
  window.its = await openers[player](address);
};
