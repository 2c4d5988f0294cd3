import t from 'tap';
import { remember, remembered } from '../state/remembered.ts';
import { followCaptions } from './captions.ts';

/** As much of a media element as has captions. */
const elementWith = (...tracks: { kind: string; language: string; label: string; mode: string }[]): HTMLVideoElement => {
  const textTracks = Object.assign(new EventTarget(), { [Symbol.iterator]: () => tracks[Symbol.iterator]() });
  return { textTracks } as Partial<HTMLVideoElement> as HTMLVideoElement;
};

t.test('the key for captions means nothing where there are none: what was chosen elsewhere stays chosen', async (t) => {
  remember('captions', 'ko');
  const none = followCaptions(elementWith(), () => undefined);
  none.toggle('en');
  none.toggle('en');
  t.equal(remembered('captions'), 'ko');
  none.destroy();
  const korean = { kind: 'subtitles', language: 'ko', label: '', mode: 'showing' };
  const some = followCaptions(elementWith(korean), () => undefined);
  some.toggle('en');
  t.equal(remembered('captions'), 'off');
  t.equal(korean.mode, 'disabled');
  some.toggle('en');
  t.equal(remembered('captions'), 'ko');
  t.equal(korean.mode, 'showing');
  some.destroy();
});
