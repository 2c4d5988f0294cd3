/** 방송 신호에서 찾은 문제와 해결 방법. 방송하는 사람만 읽으므로 따로 둔다. */
import type { enFindings } from './en-findings.ts';

export const koFindings: Readonly<Record<keyof typeof enFindings, { readonly what: string; readonly fix: string }>> = {
  videoIngestionStarved: {
    what: '최근 10초 동안 실제 시간의 {percent}%만큼만 들어왔습니다. 시청자 화면이 멈춥니다.',
    fix: '비트레이트를 낮추거나 와이파이 대신 유선을 쓰세요. 인코더에 과부하 표시가 있으면 화면 크기를 줄이세요.',
  },
  videoIngestionFasterThanRealtime: {
    what: '인코더가 실제 시간보다 {times}배 빠르게 보내고 있습니다.',
    fix: 'ffmpeg라면 입력 앞에 -re를 넣으세요. 밀린 것을 따라잡는 중이라면 저절로 멈춥니다.',
  },
  audioIngestionStarved: {
    what: '소리가 {seconds}초 전에 끊겼습니다. 시청자에게는 아무 소리도 들리지 않습니다.',
    fix: '음소거되었거나 빠진 장치가 있는지, 방송에 쓰는 오디오 트랙이 맞는지 확인하세요.',
  },
  noVideoStream: {
    what: '화면 없이 소리만 들어옵니다.',
    fix: '소리만 방송하려는 것이라면 그대로 두세요.',
  },
  noAudioStream: {
    what: '소리가 들어오지 않습니다.',
    fix: '마이크 같은 오디오 소스를 고르고, 그 트랙이 방송에 들어가는지 확인하세요.',
  },
  videoCodec: {
    what: '화면이 {codec} 형식이라 여기서는 내보낼 수 없습니다.',
    fix: '비디오 인코더를 H.264로 바꾸세요.',
  },
  audioCodec: {
    what: '소리가 {codec} 형식이라 여기서는 내보낼 수 없습니다.',
    fix: '오디오 인코더를 AAC로 바꾸세요.',
  },
  videoCodecProtection: {
    what: '화면이 {codec} 형식인데, 이 채널의 보호 방식 cbcs는 H.264만 암호화합니다. 시청자는 이 방송을 볼 수 없습니다.',
    fix: '비디오 인코더를 H.264로 바꾸세요. {codec} 그대로 방송하려면 채널을 AES-128로 보호하고 다시 시작하세요.',
  },
  audioCodecProtection: {
    what: '소리가 {codec} 형식인데, 이 채널의 보호 방식 cbcs는 AAC만 암호화합니다. 시청자는 이 방송을 볼 수 없습니다.',
    fix: '오디오 인코더를 AAC로 바꾸세요. {codec} 그대로 방송하려면 채널을 AES-128로 보호하고 다시 시작하세요.',
  },
  videoProfile: {
    what: '화면이 H.264 {profile}, {chroma}, {bits}비트입니다. 브라우저에서는 볼 수 없습니다.',
    fix: '프로파일은 high, 색상 형식은 NV12(4:2:0, 8비트)로 바꾸세요.',
  },
  videoInterlaced: {
    what: '비월 주사(인터레이스) 화면입니다. 움직이는 가장자리가 빗살처럼 보입니다.',
    fix: '카메라나 인코더를 프로그레시브로 바꾸거나 소스의 디인터레이스를 켜세요.',
  },
  gopSizeOver: {
    what: '키프레임 간격이 {seconds}초로, {limit}초를 넘습니다. 시청자가 첫 화면을 오래 기다립니다.',
    fix: '키프레임 간격을 2초로 바꾸세요. OBS는 처음에 0(자동)으로 되어 있습니다.',
  },
  gopSizeLong: {
    what: '키프레임 간격이 {seconds}초로, {limit}초를 넘습니다. 시청자가 첫 화면을 그만큼 기다립니다.',
    fix: '키프레임 간격을 2초로 바꾸세요.',
  },
  gopSizeShort: {
    what: '키프레임이 {seconds}초마다 들어옵니다. 너무 잦으면 화질이 떨어집니다.',
    fix: '키프레임 간격을 2초로 바꾸세요.',
  },
  gopMismatch: {
    what: '키프레임이 {from}초에서 {to}초까지 들쭉날쭉하게 들어옵니다.',
    fix: '키프레임 간격을 고정하고 장면 전환 감지를 끄세요(x264: scenecut=0).',
  },
  openGop: {
    what: '키프레임을 넘어 서로 참조하는 화면이 있습니다. 그 지점에서 보기 시작하면 잠깐 깨져 보입니다.',
    fix: 'open GOP를 끄세요(x264: open_gop=0).',
  },
  bitrateHigh: {
    what: '{width}×{height}, {fps}fps에 {kbps}kbps는 너무 높습니다. {limit}kbps면 충분하고, 더 높으면 끊기는 시청자가 생깁니다.',
    fix: '비트레이트를 낮추세요. 시청자는 보내는 그대로 받습니다.',
  },
  bitrateLow: {
    what: '{width}×{height}, {fps}fps에 {kbps}kbps는 낮습니다. 보통 {limit}kbps 이상을 씁니다. 움직임이 뭉개져 보일 수 있습니다.',
    fix: '비트레이트를 높이거나 화면 크기를 줄이세요. 거의 움직이지 않는 화면이라면 괜찮습니다.',
  },
  frameRateHigh: {
    what: '초당 {fps}프레임은 대부분의 화면이 보여 주는 {limit}프레임보다 많습니다.',
    fix: '30fps나 60fps로 바꾸세요.',
  },
  frameRateLow: {
    what: '초당 {declared}프레임이라고 하지만 {fps}프레임만 들어옵니다.',
    fix: '인코더나 회선에서 프레임이 빠지고 있습니다. 더 빠른 프리셋, 더 작은 화면, 더 낮은 비트레이트를 쓰세요.',
  },
  videoResolutionChanged: {
    what: '화면 크기가 {from}에서 {to}(으)로 바뀌었습니다.',
    fix: '방송 중에는 크기를 바꾸지 마세요. 바뀌는 순간 재생이 잠깐 멈춥니다.',
  },
  videoCodecMismatch: {
    what: '비디오 코덱이 {from}에서 {to}(으)로 바뀌었습니다.',
    fix: '방송 중에는 코덱을 바꾸지 마세요. 바꾸면 새 영상이 시작됩니다.',
  },
  audioCodecMismatch: {
    what: '오디오 코덱이 {from}에서 {to}(으)로 바뀌었습니다.',
    fix: '방송 중에는 코덱을 바꾸지 마세요. 바꾸면 새 영상이 시작됩니다.',
  },
  audioSampleRate: {
    what: '소리의 샘플레이트가 {hz}Hz입니다.',
    fix: '48kHz로 바꾸세요. 모든 기기에서 그대로 재생됩니다.',
  },
  audioSampleRateMismatch: {
    what: '샘플레이트가 {from}Hz에서 {to}Hz로 바뀌었습니다.',
    fix: '방송 중에는 샘플레이트를 바꾸지 마세요.',
  },
  audioTooManyChannels: {
    what: '소리가 {channels}채널입니다. 재생하지 못하는 브라우저가 있습니다.',
    fix: '스테레오로 바꾸세요.',
  },
  arrivalUneven: {
    what: '신호가 몰려서 들어오고, 최대 {seconds}초 늦습니다. 지연 시간을 짧게 한 시청자의 화면이 멈춥니다.',
    fix: '유선과 CBR을 쓰고, 회선이 나쁘면 SRT로 보내세요. 채널의 지연 시간을 표준으로 바꿔도 됩니다.',
  },
  stampsJumped: {
    what: '최근 1분 동안 신호의 시간이 {times}번 건너뛰었습니다. 영상에 이음매가 생깁니다.',
    fix: '파일을 반복 재생하거나 소스를 다시 시작하면 생깁니다. 둘 다 아니라면 인코더를 다시 시작하세요.',
  },
  reconnects: {
    what: '최근 10분 동안 연결이 {times}번 끊겼다가 돌아왔습니다.',
    fix: '유선을 쓰거나, 비트레이트를 낮추거나, SRT로 보내세요.',
  },
  twoEncoders: {
    what: '같은 주소에서 같은 스트림 키로 송출하는 인코더가 하나 더 있습니다. 화면이 번갈아 바뀌지 않도록 거절하고 있습니다(최근 5분 동안 {times}번).',
    fix: '둘 중 하나를 끄세요. 다른 OBS나 함께 송출하는 플러그인이 있는지 확인하세요. 다른 인코더로 바꾸려면 지금 것을 먼저 종료하세요.',
  },
  ladderShed: {
    what: '서버에 여유가 없어 낮은 화질({heights})을 지금은 만들지 않습니다. 그 화질로 보던 시청자는 다른 화질로 봅니다. 보내시는 원본은 그대로 나갑니다.',
    fix: '여유가 생기면 저절로 돌아옵니다. 자주 일어나면 채널의 화질 구성을 더 가벼운 것으로 바꾸거나 끄세요.',
  },
  ladderCut: {
    what: '이 채널의 낮은 화질을 서버가 모두 만들 수 없습니다. 이번 방송에는 {heights} 화질이 없습니다.',
    fix: '채널 설정에서 더 가벼운 구성을 고르거나, 서버가 한가할 때 다시 시작하세요. 다음 방송부터 적용됩니다.',
  },
  ladderGone: {
    what: '채널에 설정된 화질 구성 “{ladder}”이(가) 이 서버에 더 이상 없습니다. 시청자는 보내시는 원본만 봅니다.',
    fix: '채널 설정에서 다른 구성을 고르세요. 다음 방송부터 적용됩니다.',
  },
  ladderRestarted: {
    what: '낮은 화질을 만드는 인코더가 멈춰서 이번 방송에서 {times}번 다시 시작됐습니다. 시간이 되는 만큼 빠진 부분을 채웁니다.',
    fix: '한 번이라면 그대로 두세요. 계속되면 서버 관리자에게 알려 주세요. 이유가 서버 로그에 있습니다.',
  },
  opusOnly: {
    what: '소리가 Opus인데, 이 서버는 AAC를 함께 만들지 않습니다. 오래된 Apple 기기, TV, MPEG-TS 플레이어에서는 소리가 나지 않습니다.',
    fix: '인코더에서 AAC를 고르거나, 서버 관리자에게 ffmpeg 설치를 요청하세요. 다음 방송부터 적용됩니다.',
  },
  secondSoundSilent: {
    what: '보내시는 소리로 만드는 AAC가 지금은 무음입니다. AAC 인코더가 작동하지 않고 있습니다. Opus를 재생하는 플레이어에서는 모두 들립니다.',
    fix: '저절로 다시 시작되니 그대로 두세요. 계속되면 인코더에서 AAC를 고르고 서버 관리자에게 알려 주세요. 이유가 서버 로그에 있습니다.',
  },
  srtLatencyLow: {
    what: 'SRT 지연 {latency}ms는 이 회선에 너무 짧습니다. 왕복에 {rtt}ms가 걸립니다.',
    fix: '인코더에서 {wanted}ms 이상으로 바꾸세요. 그래야 잃은 패킷을 다시 보낼 시간이 생깁니다.',
  },
  srtLossHigh: {
    what: '회선에서 패킷의 {percent}%를 잃고 있습니다. 잃은 패킷은 다시 보내집니다.',
    fix: '더 안정된 회선을 쓰거나 비트레이트를 낮추세요. SRT 지연을 늘리면 더 안전합니다.',
  },
  srtDropped: {
    what: '최근 10초 동안 패킷 {packets}개가 너무 늦게 왔습니다. 빠진 화면이 있습니다.',
    fix: '인코더의 SRT 지연을 늘리거나 비트레이트를 낮추세요.',
  },
  srtUndecryptable: {
    what: '최근 10초 동안 패킷 {packets}개를 복호화하지 못했습니다.',
    fix: '인코더에 채널의 암호를 다시 넣으세요.',
  },
};
