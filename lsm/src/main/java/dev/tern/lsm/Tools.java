package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
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
import dev.tern.lsm.table.Table;
import java.io.IOException;

/// The tools that all jobs of a store share.
record Tools(
    FileSystem files,
    Clock clock,
    FileLives lives,
    String directory,
    LsmOptions options,
    Epochs<BlockLookup> epochs,
    BlockCache cache,
    NativeMemory buffers,
    Chunks chunks,
    Pacer pacer) {

  static Tools of(
      FileSystem files,
      Offload background,
      Clock clock,
      FileLives lives,
      String directory,
      LsmOptions options) {
    Epochs<BlockLookup> epochs = new Epochs<>(BlockLookup::new);
    BlockCache cache = new BlockCache(options.tuning().cacheBytes(), epochs);
    Chunks chunks = new Chunks(2 * options.tuning().memtableBytes());
    Pacer pacer = new Pacer(clock, background);
    NativeMemory buffers = new NativeMemory();
    return new Tools(
        files, clock, lives, directory, options, epochs, cache, buffers, chunks, pacer);
  }

  Memtable memtable() {
    return new Memtable(chunks);
  }

  boolean planted(LsmBug bug) {
    return options.tuning().planted() == bug;
  }

  /// Opens a table that the manifest names; a file of another life is refused.
  Table open(Manifest.Named named) throws IOException {
    Table table = open(named.number());
    String problem = named.problem(table);
    if (problem == null) {
      return table;
    }
    table.close();
    throw new CorruptionException(table.path, 0, problem);
  }

  Table open(long number) throws IOException {
    return Table.open(files, StoreFiles.tablePath(directory, number), number, cache, buffers);
  }
}
