/**
 * Acknowledgements (RTMP 1.0, 5.4.3): one each time the sender's window has been received.
 *
 * It waits until the socket has been read empty. A sender that said goodbye and closed answers whatever comes with
 * a reset, and writing into that would cost us what the kernel still holds of its last seconds.
 */
import type { Clock } from '../../packager/clock.ts';
import { serverWindow } from './commands.ts';
import { acknowledgement } from './messages.ts';
import type { Outgoing } from './messages.ts';

/** What Node reads at once: as much as this means that there is more in the kernel. */
const fullRead = 65_536;
/** A full read may have been the last one. */
const lateMs = 200;

export class Acknowledger {
  #clock: Clock;
  #outlet: { readonly canSend: () => boolean; readonly send: (message: Outgoing) => void };
  #window = serverWindow;
  #received = 0;
  #acknowledged = 0;
  #cancelLate: (() => void) | undefined;

  constructor(clock: Clock, outlet: { readonly canSend: () => boolean; readonly send: (message: Outgoing) => void }) {
    this.#clock = clock;
    this.#outlet = outlet;
  }

  /** The sender says how often it wants to hear from us. */
  set window(bytes: number) {
    this.#window = Math.max(1, bytes);
  }

  received(total: number, lastRead: number): void {
    this.#received = total;
    if (total - this.#acknowledged < this.#window) return;
    if (lastRead < fullRead && this.#outlet.canSend()) this.#send();
    else this.#sendLater();
  }

  stop(): void {
    this.#cancelLate?.();
    this.#cancelLate = undefined;
  }

  #sendLater(): void {
    this.#cancelLate ??= this.#clock.after(lateMs, () => {
      this.#cancelLate = undefined;
      if (this.#received - this.#acknowledged < this.#window) return;
      if (this.#outlet.canSend()) this.#send();
      else this.#sendLater();
    });
  }

  #send(): void {
    this.#acknowledged = this.#received;
    this.#outlet.send(acknowledgement(this.#received));
  }
}
