package dev.tern.env;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A file is taken for nothing but what it is.
class FileHeaderTest {
  private static final FileLife LIFE = new FileLife(0x1122334455667788L, 42);

  private static String refusal(FileKind wanted, byte[] bytes) {
    return assertThrows(DecodeException.class, () -> FileHeader.decode(wanted, bytes, bytes.length))
        .getMessage();
  }

  @ParameterizedTest
  @EnumSource
  void eachKindComesBackAndIsNoOther(FileKind kind) {
    byte[] bytes = FileHeader.of(kind, LIFE).toBytes();
    assertEquals(FileHeader.BYTES, bytes.length);
    assertEquals(FileHeader.of(kind, LIFE), FileHeader.decode(kind, bytes, bytes.length));
    for (FileKind other : FileKind.values()) {
      if (other != kind) {
        assertTrue(refusal(other, bytes).contains("a %s where".formatted(kind.noun())));
      }
    }
  }

  @Test
  void everyBitCounts() {
    byte[] bytes = FileHeader.of(FileKind.LOG, LIFE).toBytes();
    for (int bit = 0; bit < 8 * bytes.length; bit++) {
      byte[] broken = bytes.clone();
      broken[bit / 8] ^= (byte) (1 << bit % 8);
      refusal(FileKind.LOG, broken);
    }
    for (int length = 0; length < bytes.length; length++) {
      refusal(FileKind.LOG, Arrays.copyOf(bytes, length));
    }
  }

  @Test
  void anotherFormatIsRefusedWithWhatToDo() {
    int format = FileKind.TABLE.format();
    byte[] later = new FileHeader(FileKind.TABLE, format + 1, LIFE).toBytes();
    assertEquals(
        "a table of format %d; this version of Tern reads %d: use the version that wrote it"
            .formatted(format + 1, format),
        refusal(FileKind.TABLE, later));
  }

  @Test
  void aSmallFileIsWholeOrRefused() {
    byte[] content = {1, 2, 3, 4, 5};
    byte[] file = SmallFile.encode(FileKind.GENERATION, LIFE, content);
    assertArrayEquals(content, SmallFile.decode(FileKind.GENERATION, file));
    for (int length = 0; length < file.length; length++) {
      byte[] cut = Arrays.copyOf(file, length);
      assertThrows(DecodeException.class, () -> SmallFile.decode(FileKind.GENERATION, cut));
    }
    for (int at = 0; at < file.length; at++) {
      byte[] broken = file.clone();
      broken[at] ^= 4;
      assertThrows(DecodeException.class, () -> SmallFile.decode(FileKind.GENERATION, broken));
    }
    byte[] longer = Arrays.copyOf(file, file.length + 1);
    assertThrows(DecodeException.class, () -> SmallFile.decode(FileKind.GENERATION, longer));
  }
}
