/** 인코더의 주소, 허용된 네트워크, 거절된 송출 시도에 관한 한국어. */
import type { enSenders } from './en-senders.ts';

export const koSenders: Readonly<Record<keyof typeof enSenders, string>> = {
  'room.rtmps': '서버(암호화)',
  'room.rtmps.hint': '위의 서버 대신 같은 키로 쓸 수 있습니다. 전송 중에 키가 노출되지 않습니다.',
};
