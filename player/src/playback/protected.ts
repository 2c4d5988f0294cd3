/**
 * Protected videos by hls.js. AES-128 it takes off by itself, everywhere. Of `cbcs` our playlists say SAMPLE-AES in the key
 * format `identity`, which hls.js takes for MPEG-TS; fragmented MP4 is opened by the browser's ClearKey (Encrypted Media
 * Extensions), and hls.js goes to it where a playlist names that as the key format. So playlists are read as if they did:
 *
 *     URI="…/keys/<id>",KEYFORMAT="identity"   →   URI="…/keys/<id>",KEYFORMAT="org.w3.clearkey",KEYID=0x<id>
 *
 * Sessions are asked for by the ids of playlists and not by init segments: before media is appended, and once for each key.
 */
import type HlsClass from 'hls.js';
import type { ErrorData, HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js';
import type { Failure } from './recovery.ts';

const clearKey = 'org.w3.clearkey';
const keyLine = /^#EXT-X-KEY:METHOD=SAMPLE-AES,.*$/gm;
const idInAddress = /\bURI="[^"]*\/([0-9a-f]{32})"/;

/** A playlist whose keys hls.js hands to ClearKey. */
export const forClearKey = (playlist: string): string =>
  playlist.replace(keyLine, (line) => {
    const id = idInAddress.exec(line)?.[1];
    return id === undefined ? line : line.replace('KEYFORMAT="identity"', `KEYFORMAT="${clearKey}",KEYID=0x${id}`);
  });

const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** What a session is asked for (W3C, "keyids" Initialization Data Format). */
export const keyIds = (id: Uint8Array): string => JSON.stringify({ kids: [base64url(id)] });

/** Of a failure that has to do with keys: which kind it is. Null: it has nothing to do with them. */
export const keyFailure = (Hls: typeof HlsClass, { type, details, response }: ErrorData): Failure['kind'] | null => {
  const { ErrorTypes, ErrorDetails } = Hls;
  if (details === ErrorDetails.KEY_SYSTEM_NO_ACCESS) return 'clearkey';
  const asked = details === ErrorDetails.KEY_LOAD_ERROR || details === ErrorDetails.KEY_SYSTEM_LICENSE_REQUEST_FAILED;
  // Whoever may play the video gets its keys: it is refused with the same codes as media is. Of what is not there the words differ.
  if (asked) return response?.code === 404 ? 'keys' : 'network';
  return type === ErrorTypes.KEY_SYSTEM_ERROR ? 'keys' : null;
};

/** `elsewhere`: ClearKey is not to be tried, for the browser's own HLS opens what it opens. */
export const protectedSettings = (Hls: typeof HlsClass, elsewhere: boolean): Partial<HlsConfig> => {
  class PlaylistLoader extends Hls.DefaultConfig.loader {
    override load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      super.load(context, config, {
        ...callbacks,
        onSuccess(response, ...rest) {
          callbacks.onSuccess(typeof response.data === 'string' ? { ...response, data: forClearKey(response.data) } : response, ...rest);
        },
      });
    }
  }
  const keyLoadPolicy = Hls.DefaultConfig.keyLoadPolicy.default;
  return {
    pLoader: PlaylistLoader as NonNullable<HlsConfig['pLoader']>,
    // The licence server would be asked eight times more, without a pause: hls.js leaves out the waiting of its own policy
    // there. Pauses are recovery.ts's. Once, since without it a key of AES-128 that fails for a moment costs the rung.
    keyLoadPolicy: { default: { ...keyLoadPolicy, errorRetry: { maxNumRetry: 1, retryDelayMs: 1000, maxRetryDelayMs: 1000 } } },
    emeEnabled: true,
    ...(elsewhere ? { requestMediaKeySystemAccessFunc: null } : {}),
    drmSystemOptions: { audioEncryptionScheme: 'cbcs', videoEncryptionScheme: 'cbcs' },
    drmSystems: {
      [clearKey]: {
        // Whatever it says: it lies beside the key, see below.
        licenseUrl: 'licence',
        generateRequest: (_type, _data, { decryptdata }) => ({ initDataType: 'keyids', initData: new TextEncoder().encode(keyIds(decryptdata.keyId ?? new Uint8Array())).buffer }),
      },
    },
    licenseXhrSetup: (request, url, { decryptdata }) => request.open('POST', new URL(url, decryptdata.uri), true),
  };
};
