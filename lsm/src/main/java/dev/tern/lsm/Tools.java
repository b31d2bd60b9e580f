package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.compaction.Pacer;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.memtable.Chunks;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.OpenTables;
import dev.tern.lsm.table.Table;
import java.io.IOException;

/// The tools that all jobs of a store share.
record Tools(
    FileSystem files,
    Clock clock,
    FileLives lives,
    String directory,
    LsmOptions options,
    LsmGroup group,
    MemoryAccount memory,
    Epochs<BlockLookup> epochs,
    BlockCache cache,
    NativeMemory buffers,
    OpenTables openTables,
    Chunks chunks,
    Pacer pacer) {
  /// What to do where a store is not opened for want of a table.
  private static final String PUT_BACK = "Put the right file back, or restore a copy of the store";

  static Tools of(
      FileSystem files,
      Offload background,
      Clock clock,
      FileLives lives,
      String directory,
      LsmOptions options) {
    LsmGroup shared = options.group();
    LsmGroup group = shared == null ? new LsmGroup(options) : shared;
    group.enter();
    MemoryAccount memory = new MemoryAccount(group.budget());
    Epochs<BlockLookup> epochs = new Epochs<>(BlockLookup::new);
    BlockCache cache = new BlockCache(group.blocks(), epochs);
    Pacer pacer = new Pacer(clock, background);
    OpenTables tables =
        new OpenTables(files, cache, group.buffers(), epochs, group.tables(), memory);
    return new Tools(
        files,
        clock,
        lives,
        directory,
        options,
        group,
        memory,
        epochs,
        cache,
        group.buffers(),
        tables,
        group.chunks(),
        pacer);
  }

  /// Whether the store shares nothing with others.
  boolean alone() {
    return options.group() == null;
  }

  /// Gives back what the store held; nobody uses it any more, or nobody did.
  void release() {
    cache.close();
    memory.close();
    group.leave();
    if (alone()) {
      group.close();
    }
  }

  Memtable memtable() {
    return new Memtable(chunks, memory);
  }

  boolean planted(LsmBug bug) {
    return options.tuning().planted() == bug;
  }

  /// A table that the manifest names. Its file is there and as long as it should be; whether it is
  /// the one that is meant shows when it is opened, at the latest before anything in it counts.
  Table open(Manifest.Named named) throws IOException {
    String path = StoreFiles.tablePath(directory, named.number());
    if (!files.exists(path)) {
      throw new CorruptionException(path, 0, "the manifest names this table and it is missing")
          .advise(PUT_BACK);
    }
    long bytes = files.size(path);
    if (bytes != named.bytes()) {
      throw new CorruptionException(
              path, bytes, "%d bytes; the manifest has %d".formatted(bytes, named.bytes()))
          .advise(PUT_BACK);
    }
    return new Table(
        openTables,
        path,
        named.number(),
        named.life(),
        bytes,
        named.crc(),
        named.sequence(),
        named.properties());
  }

  /// A table that was just written.
  Table open(long number) throws IOException {
    return Table.open(openTables, StoreFiles.tablePath(directory, number), number);
  }
}
