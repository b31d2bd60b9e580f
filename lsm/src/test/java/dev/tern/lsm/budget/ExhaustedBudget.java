package dev.tern.lsm.budget;

/// A budget that is told of memory that is not there: the one who takes it gets an
/// [OutOfMemoryError], once.
public final class ExhaustedBudget extends MemoryBudget {
  private long left = -1;

  public ExhaustedBudget(long bytes, long memtableBytes, long cacheBytes) {
    super(bytes, memtableBytes, cacheBytes);
  }

  /// Lets somebody find no memory, after so many others that do; negative: nobody.
  public void exhaustAfter(long takers) {
    left = takers;
  }

  /// Whether the error of [#exhaustAfter] was thrown.
  public boolean wasExhausted() {
    return left < 0;
  }

  @Override
  void add(MemoryPart part, long more) {
    // An open file is told of together with its index.
    if (more > 0 && part != MemoryPart.FILES && left >= 0 && --left < 0) {
      throw new OutOfMemoryError("no memory for " + part);
    }
    super.add(part, more);
  }
}
