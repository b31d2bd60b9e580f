package dev.tern.lsm.entry;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// Which deletion of a range is the newest of each key: the ranges cut at each other's bounds, of
/// which the newest counts. Immutable.
///
/// A B-tree (Bayer and McCreight, 1972) over the bounds at which the answer changes, made anew
/// along one path by each deletion (path copying: Driscoll, Sarnak, Sleator and Tarjan, 1989):
/// readers keep the tree that they have, and one more deletion copies three nodes of some hundreds
/// of bytes, however many there are. A deletion removes the bounds inside it, each of which one
/// deletion brought, so nested and overlapping ranges cost no more than disjoint ones.
///
/// ```
///   deleted   [a ....... d)@7           bounds   a -> 7   b -> 9   e -> none
///                  [b ........ e)@9
///   node      bytes that all bounds begin with; of each bound the next eight, as a number
/// ```
///
/// A search compares numbers that lie side by side; it looks at a bound itself where two numbers
/// are equal. What deleted a key before the newest deletion did is not here: see [RangeTombstones].
public final class Fragments {
  /// Bounds of a node.
  private static final int MOST = 64;

  public static final Fragments NONE = new Fragments(null, 0);

  private final @Nullable Node root;
  private final long newestSequence;

  private Fragments(@Nullable Node root, long newestSequence) {
    this.root = root;
    this.newestSequence = newestSequence;
  }

  /// The newest sequence of all, 0 for none.
  public long newestSequence() {
    return newestSequence;
  }

  public boolean isEmpty() {
    return root == null;
  }

  /// A part of the tree. `bounds`, `prefixes` and one of the others are of one length, at least 1.
  private static final class Node {
    /// Bytes that all bounds have in common.
    final int shared;

    final long[] prefixes;

    /// Ascending; of an inner node the first bound of each child.
    final byte[][] bounds;

    /// By bound, what deleted the keys from it on up to the next; of a leaf.
    final RangeTombstones.@Nullable Range @Nullable [] newest;

    /// Of an inner node.
    final Node @Nullable [] children;

    Node(
        int shared,
        long[] prefixes,
        byte[][] bounds,
        RangeTombstones.@Nullable Range @Nullable [] newest,
        Node @Nullable [] children) {
      this.shared = shared;
      this.prefixes = prefixes;
      this.bounds = bounds;
      this.newest = newest;
      this.children = children;
    }

    static Node of(
        byte[][] bounds,
        RangeTombstones.@Nullable Range @Nullable [] newest,
        Node @Nullable [] children) {
      int shared = shared(bounds);
      long[] prefixes = new long[bounds.length];
      for (int i = 0; i < bounds.length; i++) {
        prefixes[i] = Keys.prefix(bounds[i], shared, bounds[i].length - shared);
      }
      return new Node(shared, prefixes, bounds, newest, children);
    }

    static Node of(List<Node> children) {
      Node[] all = children.toArray(new Node[0]);
      byte[][] bounds = new byte[all.length][];
      for (int i = 0; i < all.length; i++) {
        bounds[i] = all[i].bounds[0];
      }
      return of(bounds, null, all);
    }

    private static int shared(byte[][] bounds) {
      byte[] first = bounds[0];
      byte[] last = bounds[bounds.length - 1];
      int differs = Arrays.mismatch(first, last);
      return differs < 0 ? first.length : differs;
    }

    int size() {
      return bounds.length;
    }

    /// The last bound up to a key, -1 if the key comes before all.
    int upTo(byte[] key, int offset, int length) {
      if (shared > 0) {
        int known = Math.min(length, shared);
        int order = Keys.compare(key, offset, known, bounds[0], 0, shared);
        if (order != 0) {
          return order < 0 ? -1 : bounds.length - 1;
        }
      }
      long prefix = Keys.prefix(key, offset + shared, length - shared);
      int low = 0;
      int high = prefixes.length;
      while (low < high) {
        int middle = (low + high) >>> 1;
        long at = prefixes[middle];
        boolean isUpTo =
            at == prefix
                ? Keys.compare(bounds[middle], 0, bounds[middle].length, key, offset, length) <= 0
                : Long.compareUnsigned(at, prefix) < 0;
        if (isUpTo) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low - 1;
    }

    /// The bound behind one of this node's, or the one that is known from above.
    byte @Nullable [] boundBehind(int at, byte @Nullable [] above) {
      return at + 1 < bounds.length ? bounds[at + 1] : above;
    }

    int upTo(byte[] key) {
      return upTo(key, 0, key.length);
    }

    /// The last bound before a key, -1 if there is none.
    int before(byte[] key) {
      int at = upTo(key);
      return at >= 0 && Arrays.equals(bounds[at], key) ? at - 1 : at;
    }

    /// A part of the bounds.
    Node part(int from, int to) {
      return of(
          Arrays.copyOfRange(bounds, from, to),
          newest == null ? null : Arrays.copyOfRange(newest, from, to),
          children == null ? null : Arrays.copyOfRange(children, from, to));
    }

    /// With a bound and what it says; in two parts if these are too many.
    List<Node> put(byte[] bound, RangeTombstones.@Nullable Range range) {
      Node[] inner = children;
      int at = upTo(bound);
      if (inner == null) {
        RangeTombstones.@Nullable Range[] said = java.util.Objects.requireNonNull(newest);
        if (at >= 0 && Arrays.equals(bounds[at], bound)) {
          RangeTombstones.@Nullable Range[] changed = said.clone();
          changed[at] = range;
          return List.of(new Node(shared, prefixes, bounds, changed, null));
        }
        return split(inserted(at + 1, bound, range, null), at + 1 == size());
      }
      int child = Math.max(0, at);
      List<Node> made = inner[child].put(bound, range);
      Node replaced = withChild(inner, child, made.getFirst());
      return made.size() == 1
          ? List.of(replaced)
          : split(
              replaced.inserted(child + 1, made.getLast().bounds[0], null, made.getLast()),
              child + 1 == size());
    }

    private Node withChild(Node[] inner, int at, Node child) {
      Node[] changed = inner.clone();
      changed[at] = child;
      if (Arrays.equals(bounds[at], child.bounds[0])) {
        return new Node(shared, prefixes, bounds, null, changed);
      }
      byte[][] moved = bounds.clone();
      moved[at] = child.bounds[0];
      return of(moved, null, changed);
    }

    private Node inserted(
        int at, byte[] bound, RangeTombstones.@Nullable Range range, @Nullable Node child) {
      byte[][] more = inserted(bounds, at, new byte[size() + 1][]);
      more[at] = bound;
      RangeTombstones.@Nullable Range[] said = newest;
      if (said != null) {
        said = inserted(said, at, new RangeTombstones.Range[size() + 1]);
        said[at] = range;
      }
      Node[] inner = children;
      if (inner != null) {
        inner = inserted(inner, at, new Node[size() + 1]);
        inner[at] = java.util.Objects.requireNonNull(child);
      }
      if (shared(more) != shared) {
        return of(more, said, inner);
      }
      long[] numbers = new long[more.length];
      System.arraycopy(prefixes, 0, numbers, 0, at);
      System.arraycopy(prefixes, at, numbers, at + 1, size() - at);
      numbers[at] = Keys.prefix(bound, shared, bound.length - shared);
      return new Node(shared, numbers, more, said, inner);
    }

    private static <T> T[] inserted(T[] from, int at, T[] to) {
      System.arraycopy(from, 0, to, 0, at);
      System.arraycopy(from, at, to, at + 1, from.length - at);
      return to;
    }

    /// Bounds that come in ascending order leave full nodes behind.
    private static List<Node> split(Node node, boolean atEnd) {
      int size = node.size();
      if (size <= MOST) {
        return List.of(node);
      }
      int cut = atEnd ? size - 1 : size / 2;
      return List.of(node.part(0, cut), node.part(cut, size));
    }

    /// Without the bounds between two keys, these not among them; null if none is left.
    @Nullable Node without(byte[] from, byte[] to) {
      int first = upTo(from) + 1;
      int last = before(to);
      Node[] inner = children;
      if (inner == null) {
        return first > last ? this : joined(first, null, null, last + 1);
      }
      int low = Math.max(0, first - 1);
      if (low > last) {
        return this;
      }
      Node left = inner[low].without(from, to);
      if (low == last) {
        return left != null && left == inner[low] ? this : joined(low, left, null, low + 1);
      }
      Node right = inner[last].without(from, to);
      if (left != null && right != null && left.size() + right.size() <= MOST / 2) {
        left = concatenated(left, right);
        right = null;
      }
      return joined(low, left, right, last + 1);
    }

    /// Of two neighbours one.
    private static Node concatenated(Node a, Node b) {
      int size = a.size() + b.size();
      byte[][] all = Arrays.copyOf(a.bounds, size);
      System.arraycopy(b.bounds, 0, all, a.size(), b.size());
      RangeTombstones.@Nullable Range[] said = a.newest;
      if (said != null && b.newest != null) {
        said = Arrays.copyOf(said, size);
        System.arraycopy(b.newest, 0, said, a.size(), b.size());
      }
      Node[] inner = a.children;
      if (inner != null && b.children != null) {
        inner = Arrays.copyOf(inner, size);
        System.arraycopy(b.children, 0, inner, a.size(), b.size());
      }
      return of(all, said, inner);
    }

    /// The entries below `end`, two children where there are some, and the entries from `begin` on.
    private @Nullable Node joined(int end, @Nullable Node left, @Nullable Node right, int begin) {
      if (children == null) {
        List<byte[]> kept = new ArrayList<>(Arrays.asList(bounds).subList(0, end));
        kept.addAll(Arrays.asList(bounds).subList(begin, size()));
        RangeTombstones.@Nullable Range[] said = java.util.Objects.requireNonNull(newest);
        List<RangeTombstones.@Nullable Range> says =
            new ArrayList<>(Arrays.asList(said).subList(0, end));
        says.addAll(Arrays.asList(said).subList(begin, size()));
        return kept.isEmpty()
            ? null
            : of(kept.toArray(new byte[0][]), says.toArray(new RangeTombstones.Range[0]), null);
      }
      List<Node> all = new ArrayList<>(Arrays.asList(children).subList(0, end));
      if (left != null) {
        all.add(left);
      }
      if (right != null) {
        all.add(right);
      }
      all.addAll(Arrays.asList(children).subList(begin, size()));
      return all.isEmpty() ? null : of(all);
    }
  }

  /// With one more deletion, newer than all.
  public Fragments with(RangeTombstones.Range range) {
    assert range.sequence() >= newestSequence : "a deletion that is older than one before it";
    if (Keys.compare(range.from(), range.to()) >= 0) {
      return this;
    }
    byte[] to = range.to();
    RangeTombstones.Range behind = newest(to, 0, to.length);
    Node cleared = root == null ? null : root.without(range.from(), to);
    Node begun = put(cleared, range.from(), range);
    return new Fragments(put(begun, to, behind), range.sequence());
  }

  private static Node put(
      @Nullable Node root, byte[] bound, RangeTombstones.@Nullable Range range) {
    if (root == null) {
      return Node.of(new byte[][] {bound}, new RangeTombstones.Range[] {range}, null);
    }
    List<Node> made = root.put(bound, range);
    Node top = made.size() == 1 ? made.getFirst() : Node.of(made);
    while (top.children != null && top.children.length == 1) {
      top = top.children[0];
    }
    return top;
  }

  /// The newest deletion of a key, null for none.
  public RangeTombstones.@Nullable Range newest(byte[] key, int offset, int length) {
    Node node = root;
    while (node != null) {
      int at = node.upTo(key, offset, length);
      if (at < 0) {
        return null;
      }
      if (node.children == null) {
        return java.util.Objects.requireNonNull(node.newest)[at];
      }
      node = node.children[at];
    }
    return null;
  }

  /// Tells an iterator's view for which keys around a key one deletion is the newest, and of that
  /// deletion if the view may see it.
  ///
  /// @return false if the view may not: an older one may be what it sees
  public boolean look(Deletions view, byte[] key, int offset, int length) {
    byte[] upper = null;
    Node node = root;
    while (node != null) {
      int at = node.upTo(key, offset, length);
      upper = node.boundBehind(at, upper);
      if (at < 0) {
        view.narrow(null, upper);
        return true;
      }
      if (node.children == null) {
        view.narrow(node.bounds[at], upper);
        RangeTombstones.Range newest = java.util.Objects.requireNonNull(node.newest)[at];
        boolean seen = newest == null || newest.sequence() <= view.maxSequence();
        view.offer(seen ? newest : null);
        return seen;
      }
      node = node.children[at];
    }
    return true;
  }

  /// The bound at which the answer for a key ends, null for none.
  private byte @Nullable [] boundBehind(byte[] key) {
    byte[] upper = null;
    Node node = root;
    while (node != null) {
      int at = node.upTo(key);
      upper = node.boundBehind(at, upper);
      node = at < 0 || node.children == null ? null : node.children[at];
    }
    return upper;
  }

  /// Whether deletions that are all newer than a sequence cover each key from one up to another.
  ///
  /// @return the greatest sequence of those that cover it: who sees up to it sees none of the keys;
  ///   0 if they do not cover all
  public long coveringAll(byte[] from, byte[] to, long newerThan) {
    long greatest = 0;
    byte[] at = from;
    while (at != null && Keys.compare(at, to) < 0) {
      RangeTombstones.Range newest = newest(at, 0, at.length);
      if (newest == null || newest.sequence() <= newerThan) {
        return 0;
      }
      greatest = Math.max(greatest, newest.sequence());
      at = boundBehind(at);
    }
    return at == null ? 0 : greatest;
  }

  /// Takes what holds from a bound on; in ascending order.
  interface Sink {
    void change(byte[] bound, RangeTombstones.@Nullable Range newest);
  }

  /// Those of some deletions.
  ///
  /// @param ranges in any order, none empty; kept as they are
  static Fragments of(RangeTombstones.Range[] ranges) {
    if (ranges.length == 0) {
      return NONE;
    }
    List<byte[]> bounds = new ArrayList<>();
    List<RangeTombstones.@Nullable Range> newest = new ArrayList<>();
    sweep(
        ranges.clone(),
        (bound, range) -> {
          bounds.add(bound);
          newest.add(range);
        });
    List<Node> nodes = new ArrayList<>();
    for (int at = 0; at < bounds.size(); at += MOST) {
      int end = Math.min(bounds.size(), at + MOST);
      nodes.add(
          Node.of(
              bounds.subList(at, end).toArray(new byte[0][]),
              newest.subList(at, end).toArray(new RangeTombstones.Range[0]),
              null));
    }
    while (nodes.size() > 1) {
      List<Node> above = new ArrayList<>();
      for (int at = 0; at < nodes.size(); at += MOST) {
        above.add(Node.of(nodes.subList(at, Math.min(nodes.size(), at + MOST))));
      }
      nodes = above;
    }
    long last = 0;
    for (RangeTombstones.Range range : ranges) {
      last = Math.max(last, range.sequence());
    }
    return new Fragments(nodes.getFirst(), last);
  }

  /// Tells a sink where the newest deletion changes, by a sweep over the bounds.
  ///
  /// @param ranges none empty; sorted by it
  @SuppressWarnings("ReferenceEquality") // Whether it is the same deletion.
  static void sweep(RangeTombstones.Range[] ranges, Sink sink) {
    Arrays.sort(ranges, Comparator.comparing(RangeTombstones.Range::from, Keys::compare));
    PriorityQueue<RangeTombstones.Range> open = new PriorityQueue<>(RangeTombstones.NEWEST_FIRST);
    int next = 0;
    RangeTombstones.Range current = null;
    while (next < ranges.length || current != null) {
      // What ends at a bound ends before what begins there.
      boolean ends =
          current != null
              && (next == ranges.length || Keys.compare(current.to(), ranges[next].from()) <= 0);
      byte[] bound = ends ? java.util.Objects.requireNonNull(current).to() : ranges[next].from();
      while (next < ranges.length && Keys.compare(ranges[next].from(), bound) <= 0) {
        open.add(ranges[next++]);
      }
      while (!open.isEmpty() && Keys.compare(open.peek().to(), bound) <= 0) {
        open.poll();
      }
      RangeTombstones.Range newest = open.peek();
      if (newest != current) {
        sink.change(bound, newest);
        current = newest;
      }
    }
  }
}
