package dev.tern.gateway.riak;

/// What a frame is, in its fifth byte.
final class Code {
  static final int ERROR = 0;
  static final int PING = 1;
  static final int PONG = 2;
  static final int GET_CLIENT_ID = 3;
  static final int CLIENT_ID = 4;
  static final int SET_CLIENT_ID = 5;
  static final int CLIENT_ID_SET = 6;
  static final int GET_SERVER_INFO = 7;
  static final int SERVER_INFO = 8;
  static final int GET = 9;
  static final int GOT = 10;
  static final int PUT = 11;
  static final int STORED = 12;
  static final int DELETE = 13;
  static final int DELETED = 14;
  static final int LIST_BUCKETS = 15;
  static final int BUCKETS = 16;
  static final int LIST_KEYS = 17;
  static final int KEYS = 18;
  static final int GET_BUCKET = 19;
  static final int BUCKET = 20;
  static final int SET_BUCKET = 21;
  static final int BUCKET_SET = 22;
  static final int RESET_BUCKET = 29;
  static final int BUCKET_RESET = 30;
  static final int GET_TYPE = 31;
  static final int SET_TYPE = 32;

  /// Tern's own: where the keys of a type lie, for clients that go there directly.
  static final int GET_PLACEMENT = 200;

  static final int PLACEMENT = 201;

  private Code() {}
}
