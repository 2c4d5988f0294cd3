/** 인코더의 주소, 허용된 네트워크, 거절된 송출 시도에 관한 한국어. */
import type { enSenders } from './en-senders.ts';

export const koSenders: Readonly<Record<keyof typeof enSenders, string>> = {
  'room.rtmps': '서버(암호화)',
  'room.rtmps.hint': '위의 서버 대신 같은 키로 쓸 수 있습니다. 전송 중에 키가 노출되지 않습니다.',
  'room.networks.anywhere': '이 키는 어디서나 쓸 수 있습니다.',
  'room.networks.some': '이 키를 쓸 수 있는 곳: {networks}',
  'room.networks.change': '제한하기',
  'room.networks.title': '스트림 키를 쓸 수 있는 곳',
  'room.networks.label': '주소와 네트워크',
  'room.networks.hint':
    '한 줄에 하나씩 적습니다(예: 203.0.113.7, 2001:db8::/32). 비워 두면 어디서나 쓸 수 있습니다. 다른 곳에서는 잘못된 키로 처리되며, 지금 진행 중인 방송은 계속됩니다.',
  'room.networks.wrong': '주소나 네트워크가 아닌 것이 있습니다. 32개까지 적을 수 있습니다.',

  'attempts.title': '거절된 송출',
  'attempts.text': '서버가 시작된 뒤로 방송하려 했지만 거절된 인코더입니다. 키는 표시하지 않으며, 표식이 같으면 같은 키입니다.',
  'attempts.text.channel': '이 채널의 키로 접속했지만 거절된 인코더입니다. 본인이 아니라면 키를 바꾸세요.',
  'attempts.none': '서버가 시작된 뒤로 거절된 송출이 없습니다.',
  'attempts.when': '마지막',
  'attempts.why': '이유',
  'attempts.from': '보낸 곳',
  'attempts.channel': '채널',
  'attempts.key': '키',
  'attempts.count': '{count}회',
  'attempts.reason.unknown-key': '등록되지 않은 스트림 키',
  'attempts.reason.forbidden-network': '허용되지 않은 네트워크',
  'attempts.reason.wrong-passphrase': '잘못된 SRT 암호',
  'attempts.reason.hook-refused': '송출 확인 서버가 거절했습니다.',
  'attempts.reason.hook-failed': '송출 확인 서버가 응답하지 않았습니다.',
  'attempts.reason.two-encoders': '같은 주소에서 같은 키를 쓰는 두 번째 인코더',
};
