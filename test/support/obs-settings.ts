/**
 * The folder that OBS finds its settings in, as somebody leaves it who has been through the wizard, has one scene with one
 * video that plays in a loop, and has put in what the studio told him. For OBS 28 to 30: later ones keep theirs elsewhere.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Clip } from './clips.ts';

/** *Settings → Stream*, service "Custom…". */
export type ObsTarget = { readonly server: string; readonly key: string };

export type ObsSettings = {
  readonly target: ObsTarget;
  readonly clip: Clip;
  /** Where OBS hears from the test, and the word that it asks for. */
  readonly remote: { readonly port: number; readonly password: string };
};

type Ini = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

const iniText = (ini: Ini): string =>
  Object.entries(ini)
    .map(([section, values]) => [`[${section}]`, ...Object.entries(values).map(([name, value]) => `${name}=${value}`), ''].join('\n'))
    .join('\n');

/** Nothing that asks something at the start or at the end: nobody is there to answer. */
const program = ({ remote }: ObsSettings): Ini => ({
  General: { FirstRun: true, 'Pre19Defaults': false, 'Pre21Defaults': false, 'Pre23Defaults': false, 'Pre24.1Defaults': false, EnableAutoUpdates: false, ConfirmOnExit: false },
  Basic: { Profile: 'Test', ProfileDir: 'Test', SceneCollection: 'Test', SceneCollectionFile: 'Test', ConfigOnNewProfile: false },
  // Drawing its own window costs more here, where no graphics card is, than all the rest.
  BasicWindow: { PreviewEnabled: false, SysTrayEnabled: false, WarnBeforeStartingStream: false, WarnBeforeStoppingStream: false },
  OBSWebSocket: { FirstLoad: false, ServerEnabled: true, ServerPort: remote.port, ServerPassword: remote.password, AuthRequired: true, AlertsEnabled: false },
});

const profile = ({ clip: { width, height, fps } }: ObsSettings): Ini => ({
  General: { Name: 'Test' },
  // OBS comes back by itself; by its own settings after two seconds.
  Output: { Mode: 'Simple', Reconnect: true, RetryDelay: 1, MaxRetries: 25 },
  // The settings that docs/streaming.md names, but for the size.
  SimpleOutput: { StreamEncoder: 'x264', VBitrate: 800, ABitrate: 160, UseAdvanced: true, Preset: 'veryfast', x264Settings: `keyint=${fps * 2} bframes=2` },
  Video: { BaseCX: width, BaseCY: height, OutputCX: width, OutputCY: height, FPSType: 1, FPSInt: fps },
  Audio: { SampleRate: 48_000, ChannelSetup: 'Stereo' },
});

const scenes = ({ clip }: ObsSettings): object => ({
  ...{ name: 'Test', current_scene: 'Scene', current_program_scene: 'Scene', scene_order: [{ name: 'Scene' }] },
  sources: [
    { id: 'scene', name: 'Scene', settings: { id_counter: 1, items: [{ name: 'Clip', id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 } }] } },
    { id: 'ffmpeg_source', name: 'Clip', mixers: 255, volume: 1, settings: { is_local_file: true, local_file: clip.file, looping: true, hw_decode: false } },
  ],
});

/** Below `home`, which becomes the `XDG_CONFIG_HOME` of OBS. */
export const writeObsSettings = (home: string, settings: ObsSettings): void => {
  const root = path.join(home, 'obs-studio');
  const into = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  into('global.ini', iniText(program(settings)));
  into('basic/profiles/Test/basic.ini', iniText(profile(settings)));
  into('basic/profiles/Test/service.json', JSON.stringify({ type: 'rtmp_custom', settings: settings.target }));
  into('basic/scenes/Test.json', JSON.stringify(scenes(settings)));
};
