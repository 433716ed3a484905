/**
 * The voice call: every member's browser speaks with every other's. Of a pair the one with the lower number offers the connection: two
 * first offers that meet leave Chromium gathering for ever on the side that gives way. Later both may offer, where a connection failed,
 * as the WebRTC specification's "perfect negotiation" says: where two offers meet the polite one gives way.
 */
import type { FromMember, Member, MemberId, Signal } from "./messages";

export interface VoiceView {
  status: "off" | "asking" | "on" | "denied" | "missing";
  muted: boolean;
  /** Heard only while the button or key is held. */
  pushToTalk: boolean;
  talking: boolean;
}

interface Peer {
  connection: RTCPeerConnection;
  polite: boolean;
  offering: boolean;
  ignoring: boolean;
  audio: HTMLAudioElement;
}

export class Voice {
  readonly #say: (message: FromMember) => boolean;
  #view: VoiceView = { status: "off", muted: false, pushToTalk: false, talking: false };
  #watchers = new Set<() => void>();
  #microphone: MediaStream | undefined;
  #servers: RTCIceServer[] = [];
  #peers = new Map<MemberId, Peer>();
  #you: MemberId | undefined;
  #members: readonly Member[] = [];
  #ready = false;

  constructor(say: (message: FromMember) => boolean) {
    this.#say = say;
  }

  subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  snapshot = (): VoiceView => this.#view;

  /** Asks for the microphone: only ever because somebody pressed for it. */
  async join() {
    if (this.#view.status === "on" || this.#view.status === "asking") return;
    if (!navigator.mediaDevices?.getUserMedia) return this.#change({ status: "missing" });
    this.#change({ status: "asking" });
    try {
      this.#microphone = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      const denied = error instanceof DOMException && error.name === "NotAllowedError";
      return this.#change({ status: denied ? "denied" : "missing" });
    }
    // The party may have been left while the browser asked.
    if (this.snapshot().status !== "asking") return this.#silence();
    this.#change({ status: "on" });
    this.#listenOrNot();
  }

  leave() {
    const was = this.#view.status;
    this.#ready = false;
    this.#hangUp();
    this.#silence();
    if (was === "on") this.#say({ type: "voice", on: false, muted: false });
    this.#change({ status: "off", talking: false });
  }

  setMuted(muted: boolean) {
    this.#change({ muted });
    this.#listenOrNot();
  }

  setPushToTalk(pushToTalk: boolean) {
    this.#change({ pushToTalk, talking: false });
    this.#listenOrNot();
  }

  talk(talking: boolean) {
    if (!this.#view.pushToTalk || this.#view.talking === talking) return;
    this.#change({ talking });
    this.#listenOrNot();
  }

  /** After each new connection to the party. */
  welcome(you: MemberId) {
    const unfinished = [...this.#peers.values()].some(({ connection }) => connection.connectionState !== "connected");
    // What was said meanwhile of a connection in the making is lost: all begin anew.
    if (this.#you !== you || unfinished) {
      this.#hangUp();
      this.#say({ type: "voice", on: false, muted: false });
    }
    this.#you = you;
    if (this.#view.status === "on") this.#listenOrNot();
  }

  ice(servers: RTCIceServer[]) {
    this.#servers = servers;
    this.#ready = true;
    this.#meet();
  }

  members(members: readonly Member[]) {
    this.#members = members;
    for (const [id, peer] of this.#peers) {
      if (members.some((member) => member.id === id && member.voice)) continue;
      this.#close(id, peer);
    }
    this.#meet();
  }

  async signal(signal: Signal) {
    const peer = signal.type === "offer" ? this.#peer(signal.from) : this.#peers.get(signal.from);
    if (!peer) return;
    try {
      if (signal.type === "candidate") await this.#candidate(peer, signal);
      else await this.#description(signal.from, peer, signal);
    } catch {
      // A peer that went meanwhile, or one that says nonsense: the others are heard all the same.
    }
  }

  #change(change: Partial<VoiceView>) {
    this.#view = { ...this.#view, ...change };
    for (const watcher of this.#watchers) watcher();
  }

  /** Opens or closes the microphone, and says so to the others. */
  #listenOrNot() {
    const { muted, pushToTalk, talking, status } = this.#view;
    const silent = muted || (pushToTalk && !talking);
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !silent;
    if (status === "on") this.#say({ type: "voice", on: true, muted: silent });
  }

  #silence() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#microphone = undefined;
  }

  #hangUp() {
    for (const [id, peer] of this.#peers) this.#close(id, peer);
  }

  #close(id: MemberId, peer: Peer) {
    this.#peers.delete(id);
    peer.connection.close();
    peer.audio.srcObject = null;
  }

  /** Everybody of the call whom we do not speak with yet and who waits for our offer. */
  #meet() {
    if (!this.#ready || this.#view.status !== "on") return;
    for (const member of this.#members)
      if (member.voice && member.present && Number(this.#you) < Number(member.id)) this.#peer(member.id);
  }

  #peer(id: MemberId): Peer | undefined {
    const known = this.#peers.get(id);
    const microphone = this.#microphone;
    if (known || !this.#ready || !microphone || this.#you === undefined || id === this.#you) return known;
    const connection = new RTCPeerConnection({ iceServers: this.#servers });
    const audio = new Audio();
    audio.autoplay = true;
    const peer: Peer = { connection, polite: Number(this.#you) > Number(id), offering: false, ignoring: false, audio };
    this.#peers.set(id, peer);
    connection.onnegotiationneeded = () => void this.#offer(id, peer);
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate) return;
      this.#say({
        type: "candidate",
        to: id,
        candidate: candidate.candidate,
        sdp_mid: candidate.sdpMid,
        sdp_m_line_index: candidate.sdpMLineIndex,
        username_fragment: candidate.usernameFragment,
      });
    };
    connection.ontrack = ({ streams, track }) => {
      audio.srcObject = streams[0] ?? new MediaStream([track]);
      audio.play().catch(() => undefined);
    };
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "failed") connection.restartIce();
    };
    for (const track of microphone.getTracks()) connection.addTrack(track, microphone);
    return peer;
  }

  async #offer(id: MemberId, peer: Peer) {
    try {
      peer.offering = true;
      await peer.connection.setLocalDescription();
      this.#sayDescription(id, peer);
    } catch {
      // Closed meanwhile.
    } finally {
      peer.offering = false;
    }
  }

  #sayDescription(id: MemberId, { connection }: Peer) {
    const description = connection.localDescription;
    if (description?.type === "offer" || description?.type === "answer")
      this.#say({ type: description.type, to: id, sdp: description.sdp });
  }

  async #description(from: MemberId, peer: Peer, { type, sdp }: { type: "offer" | "answer"; sdp: string }) {
    const { connection } = peer;
    const meets = type === "offer" && (peer.offering || connection.signalingState !== "stable");
    peer.ignoring = !peer.polite && meets;
    if (peer.ignoring) return;
    await connection.setRemoteDescription({ type, sdp });
    if (type !== "offer") return;
    await connection.setLocalDescription();
    this.#sayDescription(from, peer);
  }

  async #candidate(peer: Peer, signal: Extract<Signal, { type: "candidate" }>) {
    const candidate = {
      candidate: signal.candidate,
      sdpMid: signal.sdp_mid,
      sdpMLineIndex: signal.sdp_m_line_index,
      usernameFragment: signal.username_fragment,
    };
    try {
      await peer.connection.addIceCandidate(candidate);
    } catch (error) {
      if (!peer.ignoring) throw error;
    }
  }
}
