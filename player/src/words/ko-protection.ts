/** How a channel or a video is protected: what it costs, what plays it, what it leaves out. */
import type { enProtection } from './en-protection.ts';

export const koProtection: Readonly<Record<keyof typeof enProtection, string>> = {
  'protection.label': '암호화',
  'protection.none': '없음',
  'protection.aes-128': 'AES-128',
  'protection.cbcs': 'cbcs (ClearKey)',
  'protection.none.text': '있는 그대로 내보냅니다. 모든 플레이어에서 재생되고 내려받을 수 있으며, 서버에 부담이 없습니다.',
  'protection.aes-128.text':
    '코덱에 관계없이 파일을 통째로 암호화합니다. 이 사이트와 VLC 같은 HLS 플레이어에서 재생됩니다. DASH와 내려받기는 쓸 수 없고, 서버에 부담이 조금 있습니다.',
  'protection.cbcs.text':
    '파일 안의 화면과 소리를 암호화합니다. H.264와 AAC만 됩니다. HEVC, AV1, VP9, Opus는 빠지며, 그래서 화면이나 소리가 남지 않으면 아무도 볼 수 없습니다. 최신 브라우저에서 https로 열면 HLS와 DASH로 재생되고, VLC와 ffmpeg에서는 재생되지 않습니다. 내려받기는 쓸 수 없고, 서버 부담은 AES-128보다 큽니다.',
  'protection.next': '다음 방송부터 적용됩니다. 진행 중인 방송과 녹화본은 그대로입니다.',
  'protection.now': '바꾸면 바로 적용되고, 보고 있는 사람은 새로 불러옵니다. 누군가 이미 받아 둔 것은 그대로 남습니다.',
  'protection.live': '방송 중에는 시작할 때의 방식 그대로입니다. 방송이 끝난 뒤에 바꾸거나, 다음 방송을 위해 채널 설정을 바꾸세요.',
  'protection.notCarried': 'cbcs는 H.264와 AAC만 암호화하는데 이 영상은 다른 코덱입니다. AES-128은 코덱을 가리지 않습니다.',
};
