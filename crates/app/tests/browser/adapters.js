// Runs in the page, beside a player of others': one way to speak to all of them.
const video = document.querySelector("video");
window.troubles = [];
window.seek = (at) => {
  video.currentTime = at;
  return video.play();
};
window.cues = () => [...video.textTracks].flatMap((track) => [...(track.cues ?? [])].map((cue) => cue.text ?? cue.payload ?? ""));
const unique = (list) => [...new Set(list)];

async function openHls(address) {
  const hls = new Hls({ startLevel: 0 });
  hls.on(Hls.Events.ERROR, (_event, { details, fatal, reason }) => window.troubles.push({ details, fatal, reason }));
  const parsed = new Promise((done) => hls.once(Hls.Events.MANIFEST_PARSED, done));
  let heard;
  hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, (_event, { id }) => {
    heard = hls.audioTracks[id]?.lang;
  });
  hls.loadSource(address);
  hls.attachMedia(video);
  await parsed;
  return {
    heights: () => unique(hls.levels.map((level) => level.height)),
    choose: (height) => {
      hls.currentLevel = hls.levels.findIndex((level) => level.height === height);
    },
    audios: () => hls.audioTracks.map((track) => track.lang),
    listen: (language) => {
      const wanted = hls.audioTracks.findIndex((track) => track.lang === language);
      if (hls.audioTrack === wanted) heard = language;
      hls.audioTrack = wanted;
    },
    heard: () => heard,
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
  return {
    heights: () => unique(player.getVariantTracks().map((track) => track.height)).sort((a, b) => a - b),
    choose: (height) => {
      const { language } = active();
      const tracks = player.getVariantTracks().filter((track) => track.height === height);
      player.selectVariantTrack(tracks.find((track) => track.language === language) ?? tracks[0], true);
    },
    audios: () => unique(player.getVariantTracks().map((track) => track.language)),
    listen: (language) => {
      const { height } = active();
      const wanted = player.getVariantTracks().find((track) => track.language === language && track.height === height);
      player.selectVariantTrack(wanted, true);
    },
    heard: () => active()?.language,
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
  return {
    heights: () => unique(rungs().map((rung) => rung.height)).sort((a, b) => a - b),
    choose: (height) => player.setRepresentationForTypeById("video", rungs().find((rung) => rung.height === height).id, true),
    audios: () => unique(player.getTracksFor("audio").map((track) => track.lang)),
    listen: (language) => player.setCurrentTrack(player.getTracksFor("audio").find((track) => track.lang === language)),
    heard: () => player.getCurrentTrackFor("audio")?.lang,
    texts: () => player.getTracksFor("text").map((track) => track.labels[0]?.text ?? track.id),
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
    audios: () => list(player.audioTracks()).map((track) => track.language),
    listen: (language) => {
      for (const track of list(player.audioTracks())) track.enabled = track.language === language;
    },
    heard: () => list(player.audioTracks()).find((track) => track.enabled)?.language,
    texts: () => texts().map((track) => track.label),
    read: (index) => {
      texts()[index].mode = "showing";
    },
  };
}

const openers = { "hls.js": openHls, shaka: openShaka, "dash.js": openDash, "video.js": openVideoJs };
window.open_ = async (player, address) => {
  window.its = await openers[player](address);
};
