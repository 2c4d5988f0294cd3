/** What is said about encoders: where they send to, from where they may, and those who were not let in. English. */
export const enSenders = {
  'room.rtmps': 'Server, encrypted',
  'room.rtmps.hint': 'Takes the place of the server above, with the same key. The key is not readable on its way.',
  'room.networks.anywhere': 'This key works from anywhere.',
  'room.networks.some': 'This key works only from {networks}.',
  'room.networks.change': 'Restrict',
  'room.networks.title': 'Where the stream key works from',
  'room.networks.label': 'Addresses and networks',
  'room.networks.hint':
    'One on each line, such as 203.0.113.7 or 2001:db8::/32. Empty: from anywhere. From elsewhere the key is treated as a wrong one. What is live now goes on.',
  'room.networks.wrong': 'One of these is neither an address nor a network. There may be 32 of them.',

  // Encoders that were not let in
  'attempts.title': 'Refused senders',
  'attempts.text': 'Encoders that wanted to stream since the server started and were not let in. Keys are not shown: the same sign is the same key.',
  'attempts.text.channel': 'Encoders that came with a key of this channel and were not let in. If it was not you, replace the key.',
  'attempts.none': 'None since the server started.',
  'attempts.when': 'Last',
  'attempts.why': 'Reason',
  'attempts.from': 'From',
  'attempts.channel': 'Channel',
  'attempts.key': 'Key',
  'attempts.count': '{count} times',
  'attempts.reason.unknown-key': 'Unknown stream key',
  'attempts.reason.forbidden-network': 'From a network that the key is not for',
  'attempts.reason.wrong-passphrase': 'Wrong passphrase',
  'attempts.reason.hook-refused': 'Refused by the publish hook.',
  'attempts.reason.hook-failed': 'The publish hook gave no answer.',
  'attempts.reason.two-encoders': 'A second encoder with the same key from the same address',
} as const;
