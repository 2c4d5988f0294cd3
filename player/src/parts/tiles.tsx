/** Cards of what can be watched. */
import type { Channel, Video } from '../api/types.ts';
import { count, lengthText } from '../lib/format.ts';
import { Link } from '../router.tsx';
import { paths } from '../routes.ts';
import { language, t, tCount } from '../words/index.ts';
import { StateBadge } from './badge.tsx';
import { Water } from './cover.tsx';
import { LivePicture } from './live-picture.tsx';
import { since } from './since.ts';
import { usePointing, VideoPicture } from './video-picture.tsx';
import { VideoBadge } from './video-state.tsx';

export const viewersText = (viewers: number): string => tCount('live.viewers', viewers, count(language.get(), viewers));

export const LiveTile = ({ channel }: { channel: Channel }) => (
  <li class="tile">
    <div class="cover">
      <Water name={channel.name} />
      {channel.live && <LivePicture key={channel.live.videoId} channel={channel} />}
      <StateBadge state={channel.live ? 'live' : 'offline'} />
    </div>
    <Link to={paths.channel(channel.name)}>{channel.title || channel.name}</Link>
    <p>
      @{channel.name}
      {channel.live && channel.live.viewers > 0 && ` · ${viewersText(channel.live.viewers)}`}
    </p>
  </li>
);

const TileState = ({ video }: { video: Video }) => {
  if (video.state === 'playable' || video.state === 'ready') return null;
  return <VideoBadge now={video} />;
};

/** `by`: the name of its channel, where that is not known from the page. */
export const VideoTile = ({ video, by }: { video: Video; by?: string | undefined }) => {
  const pointing = usePointing();
  const facts = [by !== undefined && `@${by}`, since(video.startedAt ?? video.createdAt)];
  return (
    <li class="tile" {...pointing.handlers}>
      <div class="cover">
        <Water name={video.id} />
        <VideoPicture video={video} moves={pointing.on} />
        <TileState video={video} />
        {video.duration !== null && video.state !== 'live' && <span class="length">{lengthText(video.duration)}</span>}
      </div>
      <Link to={paths.watch(video.id)}>{video.title || t('home.untitled')}</Link>
      <p>{facts.filter(Boolean).join(' · ')}</p>
    </li>
  );
};
