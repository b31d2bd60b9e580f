package dev.tern.lsm;

import dev.tern.env.FileSystem;
import dev.tern.lsm.compaction.Merge;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// The tables that one flush or compaction writes. All are durable when [#run] returns; none is
/// left when it fails.
final class TableOutputs implements Merge.Outputs {
  /// Tables are as old as the clock says when they are written.
  static final long NOW = 0;

  private final Tables tables;
  private final Tools tools;
  private final ColumnFamily family;
  private final int bitsPerKey;
  private final long createdMillis;
  private final LongConsumer pace;
  private final List<Long> numbers = new ArrayList<>();
  private FileSystem.@Nullable WritableFile file;
  private @Nullable TableWriter writing;

  /// @param pace told the bytes written since it was last told; may wait
  TableOutputs(Tables tables, Tools tools, ColumnFamily family, int bitsPerKey, LongConsumer pace) {
    this(tables, tools, family, bitsPerKey, NOW, pace);
  }

  /// @param createdMillis when what the tables hold was first in a table
  /// @param pace told the bytes written since it was last told; may wait
  TableOutputs(
      Tables tables,
      Tools tools,
      ColumnFamily family,
      int bitsPerKey,
      long createdMillis,
      LongConsumer pace) {
    this.tables = tables;
    this.tools = tools;
    this.family = family;
    this.bitsPerKey = bitsPerKey;
    this.createdMillis = createdMillis;
    this.pace = pace;
  }

  /// Merges what a cursor walks into new tables.
  List<Table> run(
      Cursor in, RangeTombstones tombstones, long[] snapshots, boolean last, long tableBytes)
      throws IOException {
    List<Table> made = new ArrayList<>();
    try {
      long wall = tools.clock().wallMillis();
      new Merge(in, tombstones, snapshots, last, wall, tableBytes, this).run();
      if (!numbers.isEmpty()) {
        tools.files().forceDirectory(tools.directory());
      }
      for (long number : numbers) {
        Table table = tools.open(number);
        made.add(table);
        table.warm();
      }
      return made;
    } catch (IOException | RuntimeException | Error e) {
      discard(made);
      throw e;
    }
  }

  private void discard(List<Table> made) throws IOException {
    for (Table table : made) {
      table.close();
    }
    if (writing != null) {
      writing.close();
    }
    if (file != null) {
      file.close();
    }
    for (long number : numbers) {
      String path = StoreFiles.tablePath(tools.directory(), number);
      if (tools.files().exists(path)) {
        tools.files().delete(path);
      }
    }
  }

  @Override
  public TableWriter begin() throws IOException {
    long number = tables.newNumber();
    file = tools.files().create(StoreFiles.tablePath(tools.directory(), number));
    // Only now: what could not be made is not deleted, either.
    numbers.add(number);
    TableWriter writer =
        new TableWriter(
            file,
            tools.lives().next(),
            tools.options().tuning().blockBytes(),
            tools.options().tuning().filterBytes(),
            bitsPerKey,
            family.options().compression().ordinal(),
            tools.memory());
    writing = writer;
    return writer;
  }

  @Override
  public void end(TableWriter writer) throws IOException {
    boolean force = tools.options().tuning().planted() != LsmBug.TABLE_NOT_FORCED;
    long created = createdMillis == NOW ? tools.clock().wallMillis() : createdMillis;
    writer.finish(created, force);
    writer.close();
    writing = null;
    java.util.Objects.requireNonNull(file).close();
    file = null;
  }

  @Override
  public void pace(long bytes) {
    tools.openTables().giveWay();
    pace.accept(bytes);
  }
}
