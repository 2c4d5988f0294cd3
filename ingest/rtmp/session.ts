/**
 * One connection's life, from the first byte to the last:
 *
 *     handshake ─▶ commands ─▶ admission ─▶ publishing ─▶ leaving ─▶ closed
 *
 * Nothing that a peer does throws out of here: the first thing that goes wrong ends this session, is told to the
 * peer when it can understand it, and is logged in one line. While the desk decides little is read and nothing heard, so
 * that a sender who hangs up is noticed; while the core is full nothing is read. What a session holds is one socket
 * buffer and its unfinished messages.
 */
import type { Socket } from 'node:net';
import type { EndReason, EvictReason, PublishVerdict } from '../../packager/media/publish.ts';
import { rtmpClock } from '../../packager/media/unit.ts';
import { Acknowledger } from './acknowledger.ts';
import { ChunkReader } from './chunks.ts';
import type { Message } from './chunks.ts';
import { CommandFlow, serverWindow } from './commands.ts';
import type { Effect } from './commands.ts';
import { evictionStatus, partingOf, RtmpError } from './errors.ts';
import { ServerHandshake } from './handshake.ts';
import { strangerLimits } from './limits.ts';
import { interpret, pong, windowSize } from './messages.ts';
import type { Outgoing } from './messages.ts';
import { Outlet } from './outlet.ts';
import { Publication } from './publication.ts';
import type { EndLine, LogLevel, SessionContext, SessionFacts, SessionState } from './session-context.ts';

/** What a segment counts at least while the desk is thinking, however little is in it. */
const leastAhead = 1024;

export class RtmpSession {
  #socket: Socket;
  #context: SessionContext;
  #state: SessionState = 'handshake';
  #handshake = new ServerHandshake();
  #reader: ChunkReader;
  #outlet: Outlet;
  #flow = new CommandFlow();
  #publication: Publication | undefined;
  #software: string | undefined;
  #since: number;
  #sinceTick: number;
  #bytesIn = 0;
  #acknowledger: Acknowledger;
  #messages = 0;
  #paused = false;
  /** Came while the desk was thinking. */
  #ahead = 0;
  readonly #left = new AbortController();
  #mediaAt = 0;
  #goneBecause: string | undefined;
  #endReason: EndReason = 'lost';
  #cancelTimer: () => void = () => {};

  constructor(socket: Socket, context: SessionContext) {
    this.#socket = socket;
    this.#outlet = new Outlet(socket, context.limits.outputBytes);
    this.#context = context;
    const { limits, clock } = context;
    this.#since = clock.wall();
    this.#sinceTick = clock.now();
    this.#reader = new ChunkReader(strangerLimits(limits));
    this.#acknowledger = new Acknowledger(clock, {
      canSend: () => !this.#paused && this.#state !== 'admission',
      send: (message) => this.#guard(() => this.#outlet.send(message)),
    });
    this.#failAfter(limits.handshakeMs, 'handshake-timeout');
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', (error: Error) => this.#onGone(error.message));
    socket.on('close', () => this.#onGone('the sender closed the connection'));
  }

  get facts(): SessionFacts {
    const { id, protocol, address } = this.#context;
    return {
      id,
      protocol,
      address,
      software: this.#software,
      state: this.#state,
      since: this.#since,
      bytesIn: this.#bytesIn,
      units: this.#publication?.units ?? 0,
    };
  }

  /** Sends the publisher away with words; whoever has not published yet is cut off. */
  evict(reason: EvictReason): void {
    if (this.#gone) return;
    const { code, words } = evictionStatus[reason];
    const line = { level: 'info', why: words, reason } as const;
    const request = reason === 'shutting-down' ? this.#flow.reconnectRequest(words) : null;
    // Whoever understands it goes by himself, when it suits him: between two pictures, and with the next connection made.
    if (request) this.#leave('evicted', line, () => request, 'open');
    else this.#leave('evicted', line, () => this.#flow.farewell(code, words));
  }

  get #gone(): boolean {
    return this.#state === 'leaving' || this.#state === 'closed';
  }

  #onData(bytes: Buffer): void {
    this.#bytesIn += bytes.length;
    // Whoever was told to go is read and not heard, so that the words reach him before a reset does.
    if (this.#gone) return;
    this.#guard(() => {
      const rest = this.#state === 'handshake' ? this.#shakeHands(bytes) : bytes;
      if (!rest) return;
      this.#reader.feed(rest);
      if (this.#state === 'admission') this.#readAhead(bytes.length);
      else this.#work();
      if (!this.#gone) this.#acknowledger.received(this.#bytesIn, bytes.length);
    });
  }

  #shakeHands(bytes: Buffer): Buffer | undefined {
    const { reply, rest } = this.#handshake.push(bytes);
    if (reply) this.#outlet.write(reply);
    if (!rest) return undefined;
    this.#state = 'commands';
    this.#failAfter(this.#context.limits.publishMs, 'publish-timeout');
    return rest;
  }

  /** Senders wait for an answer before they send media: who does not is not read beyond this. */
  #readAhead(bytes: number): void {
    // Each segment copies all that waits: of tiny ones, fewer bytes may wait.
    this.#ahead += Math.max(bytes, leastAhead);
    if (this.#ahead > this.#context.limits.aheadBytes) this.#pause();
  }

  /** Takes messages until there is none, or until somebody has to be waited for. */
  #work(): void {
    while (!this.#paused && (this.#state === 'commands' || this.#state === 'publishing')) {
      const message = this.#reader.next();
      if (!message) return;
      if (this.#state === 'commands' && ++this.#messages > this.#context.limits.messagesBeforePublish) {
        throw new RtmpError('too-many-commands');
      }
      if (!this.#take(message)) this.#waitForRoom();
    }
  }

  /** False: the core is full. */
  #take(message: Message): boolean {
    const meaning = interpret(message, this.#context.limits);
    switch (meaning.kind) {
      case 'audio':
      case 'video':
        return this.#media(meaning.message);
      case 'aggregate':
        // One message after the other, all of them, although the first may have filled the core.
        return meaning.messages.map((part) => this.#media(part)).every((room) => room);
      case 'data':
        this.#publication?.data(meaning.amf, meaning.timestamp);
        return true;
      case 'command':
        for (const effect of this.#flow.handle(meaning.command)) this.#apply(effect);
        return true;
      case 'window':
        this.#acknowledger.window = meaning.bytes;
        return true;
      case 'bandwidth':
        // 5.4.5: answered with a window size when it differs from the last one that was sent.
        if (meaning.bytes !== serverWindow) this.#outlet.send(windowSize(serverWindow));
        return true;
      case 'ping':
        this.#outlet.send(pong(meaning.token));
        return true;
      case 'acknowledgement':
      case 'ignored':
        return true;
    }
  }

  #media(message: Message): boolean {
    const publication = this.#publication;
    if (!publication) return true;
    const before = publication.units;
    const room = publication.media(message);
    if (publication.units > before) this.#mediaAt = this.#context.clock.now();
    return room;
  }

  #apply(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.#outlet.send(effect.message);
        return;
      case 'publish':
        this.#software = effect.software;
        void this.#askToPublish(effect.key);
        return;
      case 'over':
        this.#leave('announced', { level: 'info', why: 'the sender ended the stream' });
    }
  }

  /** Nothing is said to the sender before the desk has answered, and what it says meanwhile waits. */
  async #askToPublish(key: string): Promise<void> {
    const { desk, limits, protocol, address } = this.#context;
    this.#state = 'admission';
    this.#failAfter(limits.admissionMs, 'admission-timeout');
    try {
      const verdict = await desk.admit({
        protocol,
        key,
        address,
        ...(this.#software === undefined ? {} : { software: this.#software }),
        clock: rtmpClock,
        left: this.#left.signal,
        evict: (reason) => this.evict(reason),
      });
      this.#guard(() => this.#answer(verdict));
    } catch (error) {
      this.#fail(error);
    }
  }

  #answer(verdict: PublishVerdict): void {
    const { limits } = this.#context;
    if (this.#state !== 'admission') {
      // The sender went, or was sent away, while the desk was thinking.
      if (verdict.ok) verdict.sink.end(this.#endReason);
      return;
    }
    if (!verdict.ok) {
      const { code, message } = verdict;
      this.#leave('evicted', { level: 'warn', why: message, refused: code }, () => this.#flow.refuse(code, message));
      return;
    }
    this.#publication = new Publication(verdict.sink, limits);
    this.#state = 'publishing';
    this.#reader.limits = limits;
    this.#context.onPublishing();
    for (const message of this.#flow.accept()) this.#outlet.send(message);
    this.#log('info', 'rtmp.publishing', {});
    this.#mediaAt = this.#context.clock.now();
    this.#watchForSilence(limits.idleMs);
    this.#resume();
  }

  #waitForRoom(): void {
    const publication = this.#publication;
    if (!publication || this.#state !== 'publishing') return;
    this.#pause();
    publication.drained().then(
      () => {
        if (this.#state !== 'publishing') return;
        // The silence was ours.
        this.#mediaAt = this.#context.clock.now();
        this.#guard(() => this.#resume());
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  #resume(): void {
    this.#paused = false;
    this.#work();
    if (this.#paused) return;
    if (this.#goneBecause !== undefined) this.#onGone(this.#goneBecause);
    else this.#socket.resume();
  }

  #watchForSilence(ms: number): void {
    this.#setTimer(ms, () => {
      const { limits, clock } = this.#context;
      const left = this.#mediaAt + limits.idleMs - clock.now();
      if (this.#paused) this.#watchForSilence(limits.idleMs);
      else if (left > 0) this.#watchForSilence(left);
      else this.#fail(new RtmpError('idle-timeout'));
    });
  }

  /** Runs what may throw; whatever it is, it ends this session and nothing else. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#gone) return;
    const { end, line, code, words } = partingOf(error);
    this.#leave(end, { ...line, why: words }, () => this.#flow.farewell(code, words));
  }

  #onGone(why: string): void {
    if (this.#state === 'closed') return;
    // What came before the end is still the sender's: the core has it first, as fast as it takes it.
    this.#goneBecause ??= why;
    if (this.#state === 'publishing' && this.#paused) return;
    if (this.#state !== 'leaving') this.#end('closed', 'lost', { level: this.#bytesIn === 0 ? 'debug' : 'info', why });
    this.#finish();
  }

  #finish(): void {
    this.#state = 'closed';
    this.#stopTimers();
    this.#socket.destroy();
    this.#context.onClosed();
  }

  /**
   * Says goodbye and waits a little for the sender to read it and close. A peer that never introduced itself, or
   * does not read, is cut off.
   */
  #leave(reason: EndReason, line: EndLine, farewell?: () => Outgoing, ourSide: 'closed' | 'open' = 'closed'): void {
    const words = this.#flow.connected && line['fault'] !== 'output-full' ? farewell?.() : undefined;
    const polite = words !== undefined || reason === 'announced';
    this.#end('leaving', reason, line);
    this.#stopTimers();
    if (this.#goneBecause !== undefined) {
      this.#finish();
      return;
    }
    if (!polite || !this.#socket.writable) {
      this.#socket.destroy();
      return;
    }
    if (words && ourSide === 'open') this.#guard(() => this.#outlet.send(words));
    else if (words) this.#outlet.end(words);
    this.#socket.resume();
    this.#setTimer(this.#context.limits.lingerMs, () => this.#socket.destroy());
  }

  /** The one line, and the one end. The state comes first: the core may send the session away while it ends. */
  #end(next: 'leaving' | 'closed', reason: EndReason, { level, ...line }: EndLine): void {
    const state = this.#state;
    this.#state = next;
    this.#endReason = reason;
    this.#left.abort();
    const seconds = Math.round((this.#context.clock.now() - this.#sinceTick) / 1000);
    const publication = this.#publication;
    const counts = publication ? { units: publication.units, dropped: publication.dropped } : {};
    this.#log(level, 'rtmp.closed', {
      end: reason,
      ...line,
      ...counts,
      state,
      bytesIn: this.#bytesIn,
      seconds,
    });
    try {
      publication?.end(reason);
    } catch (error) {
      this.#log('error', 'rtmp.end-failed', { err: error });
    }
  }

  #log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    const { id, protocol, address, log } = this.#context;
    log({ event, level, session: id, protocol, address, software: this.#software, ...fields });
  }

  #failAfter(ms: number, fault: 'handshake-timeout' | 'publish-timeout' | 'admission-timeout'): void {
    this.#setTimer(ms, () => this.#fail(new RtmpError(fault)));
  }

  #setTimer(ms: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#context.clock.after(ms, run);
  }

  #stopTimers(): void {
    this.#cancelTimer();
    this.#acknowledger.stop();
  }
}
