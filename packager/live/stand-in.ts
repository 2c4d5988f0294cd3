/**
 * Pictures that stop while the sound goes on: an app in the background, a camera that was pulled out, an encoder that
 * hangs. Players wait for a picture however much sound they have, so the last key picture stands in, again and again,
 * as far as the sound has come; and they hear on.
 *
 *     pictures  K──P──B──P                  (P  P)  K──P──      those that need what was never sent are left out
 *     sound     :::::::::::::::::::::::::::::::::::::::::
 *     shown     K──P──B──P  K──K──K──K──K──K──K──K──K──P──
 *
 * What counts is sound that has come since the last picture, not its stamps: a jump of those is no silence.
 *
 * Only a picture that stands alone can be shown again (IDR, BLA, a key frame of AV1 or VP9). The key picture of an open GOP is
 * numbered among those before it, and a decoder that meets its number twice drops it (ffmpeg: "Duplicate POC"). CRA of HEVC is
 * called BLA for that; for a recovery point of H.264 the last IDR stands in, however old it is.
 *
 * The repeated pictures of H.264 have one idr_pic_id, although 7.4.3 wants neighbours to differ. It tells where a picture
 * ends in a byte stream without delimiters; samples of MP4 and our MPEG-TS, which has them, end by themselves. Chromium,
 * ffmpeg (with -err_detect explode), OpenH264 and VLC decode every one of them without a word.
 */
import { longestStep } from '../media/timeline.ts';
import type { AccessUnit, WireClock } from '../media/unit.ts';
import { MICROS, rescale, wireDistance } from '../media/wire-time.ts';
import { SLACK_MICROS, type Rhythm } from './policy.ts';

/** Sound runs ahead of its pictures a little; so those that come back find their place free. */
const BEHIND_MICROS = MICROS / 2;
/** A sender that comes back may be slow to bring its first picture. */
const FIRST_PICTURE_MICROS = 5 * MICROS;
/** What sound may run ahead of the clock: senders begin with what they have gathered. */
const MOST_AHEAD_MICROS = 10 * MICROS;

/** Stamps of RTMP are milliseconds. */
const LEAST_STEP_MICROS = 10_000;

/** One that is larger is not repeated three times a second, for as long as somebody sends sound. */
const MOST_BYTES = 2 * 1024 * 1024;

/** `before`: what stands in until it comes. `apart`: it belongs behind a discontinuity. `unit`: the picture as it is to be shown. */
type Return = { readonly apart: boolean; readonly before: readonly AccessUnit[]; readonly unit: AccessUnit };

export class StandIn {
  #clock: WireClock | null = null;
  /** Sound without a picture for so long, in the middle of a show: a little before they would have made a jump. */
  #patience = 0;
  /** Each that stands in is a part of its own, or a fragment where there are no parts. */
  #every = MICROS;
  /** From the last picture to the first that stands in. */
  #first = MICROS;
  #key: Pick<AccessUnit, 'data'> | null = null;
  /** Key pictures have come, of whatever kind: this is not a show whose pictures never came. */
  #seen = false;
  /** pts - dts of key pictures, in ticks of the wire. */
  #offset = 0;
  /** When the picture is shown that is shown last, and how long pictures are, in stamps; null: there was none in this session. */
  #latest: number | null = null;
  #frame = 0;
  /** Stamp of the last picture, or of the first sound of a session that has had none. */
  #base: number | null = null;
  /** Wall clock of its arrival, ms. */
  #baseWall: number | null = null;
  /** Sound since then, micros; not more than has gone by, and a little: nobody fills a disk by sending sound in a hurry. */
  #heard = 0;
  /** Stands for pictures since then, micros; null: none has been needed. */
  #stood: number | null = null;
  #fresh = true;
  /** The pts of a key picture that came back with an open GOP: those shown before it look at what was never sent. */
  #leading: number | null = null;

  /** Another session: its stamps have nothing to do with those before. The picture is still the last that was seen. */
  begin(clock: WireClock, { longestFrameMicros, segmentLimitMicros, partLimitMicros }: Rhythm): void {
    this.#clock = clock;
    this.#patience = 0.9 * longestStep({ usualFrameMicros: longestFrameMicros, longestPictureMicros: segmentLimitMicros });
    this.#every = partLimitMicros - SLACK_MICROS;
    this.#latest = null;
    this.#frame = rescale(longestFrameMicros, MICROS, clock.timescale);
    this.#base = null;
    this.#baseWall = null;
    this.#heard = 0;
    this.#stood = null;
    this.#fresh = true;
    this.#leading = null;
    this.#offset = 0;
  }

  /** Other parameters: what was shown before cannot be decoded with them. */
  forget(): void {
    this.#key = null;
    this.#seen = false;
  }

  /**
   * A picture has come; `again`: a key picture so that it can be shown again, its own bytes when nothing behind it looks at what
   * was before; `wall`: when, ms. Null: it needs pictures that were not sent, and is left out.
   */
  picture(unit: AccessUnit, again: Buffer | null, wall: number): Return | null {
    if (unit.key) this.#seen = true;
    const clock = this.#clock;
    if (!clock) return { apart: false, before: [], unit };
    const standing = this.#stood !== null;
    if (standing && !unit.key) return null;
    if (!unit.key && this.#leading !== null && wireDistance(unit.pts, this.#leading, clock.bits) < 0) return null;
    const open = standing && again !== unit.data;
    this.#leading = open ? unit.pts : null;
    const ahead = standing && this.#base !== null ? rescale(wireDistance(unit.dts, this.#base, clock.bits), clock.timescale, MICROS) : 0;
    // Stamps that jump are for the timeline to judge.
    const before = standing && ahead < this.#heard + FIRST_PICTURE_MICROS ? this.#standUntil(ahead) : [];
    const apart = standing && (this.#fresh || ahead <= (this.#stood ?? 0));
    if (again) {
      this.#key = again.length > MOST_BYTES ? null : { data: again };
      this.#offset = wireDistance(unit.pts, unit.dts, clock.bits);
    }
    this.#fresh = false;
    if (unit.key || this.#latest === null || wireDistance(unit.pts, this.#latest, clock.bits) > 0) this.#latest = unit.pts;
    this.#base = unit.dts;
    this.#baseWall = wall;
    this.#heard = 0;
    this.#stood = null;
    // As a CRA it would be numbered among the pictures that stood in, which have its number or a higher one.
    return { apart, before, unit: open && again ? { ...unit, data: again } : unit };
  }

  /**
   * A frame of sound has come: the pictures that have to stand in before it. Null: there never was one, and nothing
   * but sound comes. `roomMicros`: what the part that the last picture is in lacks; the first that stands in comes when that is
   * full, or it would be too short for a part (RFC 8216bis 4.4.4.9).
   */
  sound(unit: AccessUnit, frameMicros: number, wall: number, roomMicros: number | null = null): AccessUnit[] | null {
    if (!this.#clock) return [];
    this.#base ??= unit.dts;
    this.#baseWall ??= wall;
    const gone = Math.max(0, wall - this.#baseWall) * (MICROS / 1000);
    this.#heard = Math.min(this.#heard + frameMicros, gone + MOST_AHEAD_MICROS);
    const patience = this.#fresh ? FIRST_PICTURE_MICROS : this.#patience;
    if (this.#stood === null && this.#heard < patience) return [];
    if (!this.#key) return this.#fresh && !this.#seen ? null : [];
    if (this.#stood === null) this.#first = Math.min(this.#every, Math.max(LEAST_STEP_MICROS, (roomMicros ?? this.#every) - SLACK_MICROS));
    return this.#standUntil(this.#heard - BEHIND_MICROS);
  }

  /** Those that begin before so many micros after the last picture. */
  #standUntil(until: number): AccessUnit[] {
    const clock = this.#clock;
    if (!clock || !this.#key || this.#base === null) return [];
    const turn = 2 ** clock.bits;
    const pictures: AccessUnit[] = [];
    for (;;) {
      const next: number = this.#stood === null ? (this.#fresh ? 0 : this.#first) : this.#stood + this.#every;
      if (next >= until) return pictures;
      this.#stood = next;
      const dts = (this.#base + rescale(next, MICROS, clock.timescale)) % turn;
      // What is shown last may have been decoded ahead of others that never came.
      const behind = this.#latest === null ? 0 : wireDistance(this.#latest, dts, clock.bits) + this.#frame;
      const pts = (dts + Math.max(this.#offset, behind) + turn) % turn;
      this.#latest = pts;
      pictures.push({ kind: 'video', dts, pts, key: true, data: this.#key.data });
    }
  }

  /** How long ago the first sound of a session was that has had no picture, ms. */
  get waitedMs(): number {
    return this.#fresh ? Math.round(this.#heard / 1000) : 0;
  }
}
