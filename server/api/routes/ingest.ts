/** How what is sent to a channel comes in, and how a broadcast came in: for its owner. */
import { Type } from 'typebox';
import { findingCodes } from '../../health/findings.ts';
import { healthView, reportView } from '../../health/view.ts';
import type { Route } from '../kit/route.ts';
import { route } from '../kit/route.ts';
import { ownChannel, ownVideo } from './access.ts';
import type { Ground } from './ground.ts';
import { channelParams, closed, idText, time } from './shapes.ts';

const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);
const text = nullable(Type.String());
const number = nullable(Type.Number());
const count = Type.Integer({ minimum: 0 });
const numbers = Type.Array(Type.Number());

const protocol = Type.Enum(['rtmp', 'rtmps', 'srt', 'whip']);
const software = nullable(Type.String({ description: 'What the encoder calls itself.' }));
const severity = Type.Enum(['info', 'warning', 'error'], { description: '`error`: viewers notice. `warning`: some do, or soon will. `info`: good to know.' });
const code = Type.Enum(findingCodes, { description: 'See docs/streaming.md for what each means, and what to do.' });
const params = Type.Object({}, { additionalProperties: true, description: 'Numbers and names that belong to it.' });
const finding = Type.Object({ code, severity, since: time, params }, closed);

const videoForm = { codec: Type.String(), codecString: text, profile: text, width: number, height: number, bitDepth: number, chroma: text, interlaced: nullable(Type.Boolean()), declaredFps: number };
const audioForm = { codec: Type.String(), codecString: text, sampleRate: number, channels: number };
const video = Type.Object(
  {
    ...videoForm,
    fps: nullable(Type.Number({ description: 'Measured by the stamps of the last seconds.' })),
    bitrate: Type.Number({ description: 'Bits a second of the last five.' }),
    reordered: Type.Boolean({ description: 'There are B-frames.' }),
    gop: Type.Object({ last: number, min: number, max: number }, { ...closed, description: 'Length of groups of pictures, ms.' }),
  },
  closed,
);
const audio = Type.Object({ ...audioForm, bitrate: Type.Number() }, closed);
const arrival = Type.Object({ jitter: Type.Number(), late: Type.Number(), speed: number }, { ...closed, description: 'Arrival against stamps: jitter and lateness in ms, and seconds of media a second.' });
const lineCounts = { packets: count, lost: count, recovered: count, dropped: count, retransmitted: count, undecryptable: count, damaged: count, rtt: Type.Number({ description: 'ms' }), latency: Type.Number({ description: 'Agreed on, ms.' }), encrypted: Type.Boolean() };
const srt = Type.Object({ ...lineCounts, bytes: count, receiveRate: Type.Number({ description: 'Bits a second.' }), recentLost: count, recentPackets: count }, { ...closed, description: 'What SRT counts; RTMP has no such numbers.' });
const minute = Type.Object({ until: time, video: numbers, audio: numbers, frames: numbers }, { ...closed, description: 'The last 59 whole seconds, the oldest first: bits of video and audio, and pictures.' });
const history = Type.Object({ step: Type.Integer(), video: numbers, audio: numbers, fps: numbers }, { ...closed, description: 'The whole broadcast in at most 240 points of `step` seconds: bits a second, pictures a second.' });
const totals = { reconnects: count, jumps: count, gaps: count };

const heights = Type.Array(count);
const ladder = Type.Object(
  { name: Type.String(), encoding: heights, shed: heights, leftOut: heights, restarts: count },
  { ...closed, description: 'What is encoded beside the show, by heights: made now, not made now, and left out when it began. Null: the channel wants nothing of the kind, or no show is on.' },
);

export const ingestHealthShape = Type.Object(
  {
    session: nullable(Type.Object({ protocol, software, address: Type.String(), since: time }, { ...closed, description: 'Null: nobody is sending.' })),
    video: nullable(video),
    audio: nullable(audio),
    arrival: nullable(arrival),
    srt: nullable(srt),
    minute: nullable(minute),
    broadcast: nullable(Type.Object({ since: time, sessions: count, ...totals, history: Type.Optional(history) }, closed)),
    ladder: nullable(ladder),
    findings: Type.Array(finding, { description: 'What is wrong, the worst first.' }),
  },
  closed,
);

const sessionReport = Type.Object({ protocol, software, since: time, until: time, end: text, bytes: count, srt: nullable(Type.Object(lineCounts, closed)) }, closed);
const findingReport = Type.Object({ code, severity, first: time, last: time, seconds: count, times: count, params }, closed);
const report = Type.Object(
  {
    ...{ since: time, until: time, sessionCount: count, ...totals },
    video: Type.Array(Type.Object(videoForm, closed)),
    audio: Type.Array(Type.Object(audioForm, closed)),
    gop: nullable(Type.Object({ min: Type.Number(), max: Type.Number() }, closed)),
    history,
    sessions: Type.Array(sessionReport),
    findings: Type.Array(findingReport),
  },
  closed,
);

export const ingestRoutes = (ground: Ground): readonly Route[] => [
  route({
    name: 'getChannelIngest',
    summary: 'How what is sent to the channel comes in: codecs, rates, rhythm, line, and what is wrong with it.',
    method: 'GET',
    path: '/channels/:channel/ingest',
    auth: 'creator',
    params: channelParams,
    answers: { 200: ingestHealthShape },
    problems: ['not-yours'],
    handler: async ({ who, params: { channel } }) => {
      const { id } = await ownChannel(ground, channel, who);
      return { status: 200, body: healthView(ground.hooks.ingest.now(id), true) };
    },
  }),
  route({
    name: 'getVideoIngest',
    summary: 'How a broadcast came in, while it is live and afterwards.',
    method: 'GET',
    path: '/videos/:video/ingest',
    auth: 'viewer',
    params: Type.Object({ video: idText }),
    answers: { 200: Type.Object({ ingest: nullable(report) }, { ...closed, description: 'Null: it was no broadcast, or nothing was kept.' }) },
    problems: ['not-yours'],
    handler: async ({ who, params: { video: wanted } }) => {
      const { id } = await ownVideo(ground, wanted, who);
      const kept = await ground.hooks.ingest.of(id);
      return { status: 200, body: { ingest: kept && reportView(kept) } };
    },
  }),
];
