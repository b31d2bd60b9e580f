package dev.tern.bench.engine;

import java.io.IOException;
import java.nio.file.Files;

/// The engines that are compared.
public enum EngineKind {
  TERN("tern"),
  ROCKSDB("rocksdb");

  private final String label;

  EngineKind(String label) {
    this.label = label;
  }

  /// As said on the command line and in the table.
  public String label() {
    return label;
  }

  /// @throws IllegalArgumentException if there is none
  public static EngineKind of(String label) {
    for (EngineKind kind : values()) {
      if (kind.label.equals(label)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("tern or rocksdb, not " + label);
  }

  Engine open(EngineOptions options) throws Exception {
    try {
      Files.createDirectories(options.directory());
    } catch (IOException e) {
      throw new IOException("no store can be made at " + options.directory(), e);
    }
    return switch (this) {
      case TERN -> LsmEngine.open(options);
      case ROCKSDB -> RocksEngine.open(options);
    };
  }
}
