package dev.tern.gateway.riak;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// A get, put or delete. Levels are as Riak says them: 0 for nothing said, names as numbers below
/// 0.
final class KeyRequest {
  static final String DEFAULT_TYPE = "default";

  byte[] bucket = {};
  byte @Nullable [] key;
  String type = DEFAULT_TYPE;
  int r;
  int w;
  int pr;
  int pw;
  int dw;
  int rw;
  int n;
  int timeoutMillis;
  boolean sloppy = true;
  byte[] vclock = {};
  byte @Nullable [] content;
  byte @Nullable [] ifModified;
  boolean head;
  boolean deletedVclock;
  boolean returnBody;
  boolean returnHead;
  boolean ifNotModified;
  boolean ifNoneMatch;

  private static final Fields.Shape GET =
      Fields.Shape.ofBytes(1, 2, 7, 13).andNumbers(3, 4, 8, 9, 10, 11, 12);
  private static final Fields.Shape PUT =
      Fields.Shape.ofBytes(1, 2, 3, 4, 16).andNumbers(5, 6, 7, 8, 9, 10, 11, 12, 14, 15);
  private static final Fields.Shape DELETE =
      Fields.Shape.ofBytes(1, 2, 4, 13).andNumbers(3, 5, 6, 7, 8, 9, 10, 11, 12);

  private KeyRequest() {}

  static KeyRequest get(byte[] message) {
    KeyRequest request = new KeyRequest();
    Fields.read(message, GET, request::getField);
    return request.checked(/* needsKey= */ true);
  }

  private boolean getField(int field, CodedInputStream in) throws IOException {
    switch (field) {
      case 1 -> bucket = in.readByteArray();
      case 2 -> key = in.readByteArray();
      case 3 -> r = in.readUInt32();
      case 4 -> pr = in.readUInt32();
      case 7 -> ifModified = in.readByteArray();
      case 8 -> head = in.readBool();
      case 9 -> deletedVclock = in.readBool();
      case 10 -> timeoutMillis = in.readUInt32();
      case 11 -> sloppy = in.readBool();
      case 12 -> n = in.readUInt32();
      case 13 -> type = text(in);
      default -> {
        return false;
      }
    }
    return true;
  }

  static KeyRequest put(byte[] message) {
    KeyRequest request = new KeyRequest();
    Fields.read(message, PUT, request::putField);
    if (request.content == null) {
      throw new RiakException("a put needs content");
    }
    return request.checked(/* needsKey= */ false);
  }

  private boolean putField(int field, CodedInputStream in) throws IOException {
    switch (field) {
      case 1 -> bucket = in.readByteArray();
      case 2 -> key = in.readByteArray();
      case 3 -> vclock = in.readByteArray();
      case 4 -> content = in.readByteArray();
      case 5 -> w = in.readUInt32();
      case 6 -> dw = in.readUInt32();
      case 7 -> returnBody = in.readBool();
      case 8 -> pw = in.readUInt32();
      case 9 -> ifNotModified = in.readBool();
      case 10 -> ifNoneMatch = in.readBool();
      case 11 -> returnHead = in.readBool();
      case 12 -> timeoutMillis = in.readUInt32();
      case 14 -> sloppy = in.readBool();
      case 15 -> n = in.readUInt32();
      case 16 -> type = text(in);
      default -> {
        return false;
      }
    }
    return true;
  }

  static KeyRequest delete(byte[] message) {
    KeyRequest request = new KeyRequest();
    Fields.read(message, DELETE, request::deleteField);
    return request.checked(/* needsKey= */ true);
  }

  private boolean deleteField(int field, CodedInputStream in) throws IOException {
    switch (field) {
      case 1 -> bucket = in.readByteArray();
      case 2 -> key = in.readByteArray();
      case 3 -> rw = in.readUInt32();
      case 4 -> vclock = in.readByteArray();
      case 5 -> r = in.readUInt32();
      case 6 -> w = in.readUInt32();
      case 7 -> pr = in.readUInt32();
      case 8 -> pw = in.readUInt32();
      case 9 -> dw = in.readUInt32();
      case 10 -> timeoutMillis = in.readUInt32();
      case 11 -> sloppy = in.readBool();
      case 12 -> n = in.readUInt32();
      case 13 -> type = text(in);
      default -> {
        return false;
      }
    }
    return true;
  }

  static String text(CodedInputStream in) throws IOException {
    return new String(in.readByteArray(), StandardCharsets.UTF_8);
  }

  private KeyRequest checked(boolean needsKey) {
    if (bucket.length == 0) {
      throw new RiakException("Bucket cannot be zero-length");
    }
    if (key == null ? needsKey : key.length == 0) {
      throw new RiakException("Key cannot be zero-length");
    }
    if (type.isEmpty()) {
      throw new RiakException("Type cannot be zero-length");
    }
    if (timeoutMillis < 0) {
      throw new RiakException("Invalid timeout value");
    }
    return this;
  }
}
