package dev.tern.lsm;

import java.io.IOException;

/// Takes logs whose entries are in tables, before their files go: for a backup that reaches to a
/// moment, or a feed of changes. Called for one log at a time, in the order of their numbers, by
/// whoever flushes: a worker, or the caller of [Lsm#open], [Lsm#flush] or [Lsm#close]. It must not
/// wait for these, and is refused [Lsm#flush], [Lsm#checkpoint] and [Lsm#close].
///
/// A hard link to the file keeps it: a store with an archive writes no log's file again. A log may
/// be given twice, where the store ends between the call and the deletion. A log that a crash tore
/// ends, for whoever reads it, where the store's own replay of it ended. What is written while the
/// store is open without a log is in no archive.
@FunctionalInterface
public interface LogArchive {
  /// Wants none.
  LogArchive NONE = (path, number) -> {};

  /// Takes a log, which is whole and on the disk. May block; flushes wait meanwhile.
  ///
  /// @param path of the file, which is there until the return
  /// @param number greater than those of the logs before
  /// @throws IOException if the log could not be taken: its file and those behind it stay, and are
  ///   given again after the next flush. Of more than [dev.tern.lsm.log.WriteLog#MOST_UNARCHIVED]
  ///   the oldest goes without having been taken; [LsmStatistics#logsNotArchived] counts them.
  void take(String path, long number) throws IOException;
}
