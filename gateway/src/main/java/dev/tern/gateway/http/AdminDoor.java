package dev.tern.gateway.http;

import dev.tern.core.topology.Member;
import dev.tern.gateway.net.AcceptPause;
import dev.tern.gateway.net.Door;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Answers a fixed set of paths: pages to `GET`, actions to `POST`. Its connections live on a loop
/// of its own.
public final class AdminDoor implements Door {
  private static final int MAX_REQUEST_BYTES = 64 << 10;
  private static final long CLOSING_MILLIS = 1_000;

  /// What a path answers.
  ///
  /// @param status HTTP status
  /// @param type media type
  /// @param body text
  public record Page(int status, String type, String body) {
    /// What who asks for something that makes no sense is told.
    public static Page invalid(IllegalArgumentException why) {
      return new Page(400, "text/plain", why.getMessage() + "\n");
    }
  }

  /// What happens to a request of one path.
  ///
  /// @param method `GET` or `POST`
  /// @param handler called on the door's loop; it tells the page once, on any thread
  public record Route(String method, BiConsumer<Request, Consumer<Page>> handler) {
    /// A page that is there at once.
    public static Route page(Function<Request, Page> page) {
      return new Route("GET", (request, done) -> done.accept(page.apply(request)));
    }
  }

  /// What was asked.
  ///
  /// @param parameters of the query, in order
  /// @param body text, empty for none
  public record Request(Map<String, List<String>> parameters, String body) {}

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("tern-admin", true), NioIoHandler.newFactory());
  private final Map<String, Route> routes;
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private @Nullable Channel listener;

  /// @param routes by path
  public AdminDoor(Map<String, Route> routes) {
    this.routes = new LinkedHashMap<>(routes);
  }

  @Override
  public String name() {
    return Member.Ports.ADMIN;
  }

  @Override
  public void open(String host, int port) throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .handler(new AcceptPause("administration"))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    connections.add(channel);
                    channel
                        .pipeline()
                        .addLast(
                            new HttpServerCodec(),
                            new HttpObjectAggregator(MAX_REQUEST_BYTES),
                            new Requests());
                  }
                })
            .bind(new InetSocketAddress(host, port))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "cannot listen on %s:%d for administration: %s"
              .formatted(host, port, String.valueOf(bound.cause().getMessage())));
    }
    listener = bound.channel();
  }

  @Override
  public int port() {
    Channel channel = listener;
    return channel == null ? 0 : ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /// Changes nothing: pages are answered at once, and the node's state may be asked for to its end.
  @Override
  public void quiet() {}

  /// Changes nothing, as [#close] ends the connections.
  @Override
  public void end() {}

  @Override
  public void close() {
    if (listener != null) {
      listener.close().awaitUninterruptibly(CLOSING_MILLIS);
    }
    // The loop's end alone leaves sockets open that a client keeps for its next request.
    connections.close().awaitUninterruptibly(CLOSING_MILLIS);
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2 * CLOSING_MILLIS);
  }

  private void answer(FullHttpRequest request, Consumer<Page> done) {
    if (!request.decoderResult().isSuccess()) {
      done.accept(new Page(400, "text/plain", "this is no HTTP request\n"));
      return;
    }
    QueryStringDecoder uri = new QueryStringDecoder(request.uri());
    Route route;
    Map<String, List<String>> parameters;
    try {
      route = routes.get(uri.path());
      parameters = uri.parameters();
    } catch (IllegalArgumentException e) {
      done.accept(new Page(400, "text/plain", "the path cannot be decoded\n"));
      return;
    }
    if (route == null) {
      String known = String.join(", ", routes.keySet());
      done.accept(new Page(404, "text/plain", "there is " + known + "\n"));
    } else if (!request.method().name().equals(route.method())) {
      String offered = "only " + route.method() + " is offered\n";
      done.accept(new Page(405, "text/plain", offered));
    } else if (route.method().equals("POST") && !json(request)) {
      // So that no page in a browser can post here without being asked first (CORS).
      done.accept(new Page(415, "text/plain", "Content-Type: application/json is needed\n"));
    } else {
      String body = request.content().toString(StandardCharsets.UTF_8);
      try {
        route.handler().accept(new Request(parameters, body), done);
      } catch (IllegalArgumentException e) {
        done.accept(Page.invalid(e));
      }
    }
  }

  private static boolean json(FullHttpRequest request) {
    String type = request.headers().get(HttpHeaderNames.CONTENT_TYPE, "");
    return type.startsWith("application/json");
  }

  private final class Requests extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      boolean keepAlive = HttpUtil.isKeepAlive(request);
      answer(request, page -> context.executor().execute(() -> write(context, keepAlive, page)));
    }

    private void write(ChannelHandlerContext context, boolean keepAlive, Page page) {
      FullHttpResponse response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.valueOf(page.status()),
              Unpooled.copiedBuffer(page.body(), StandardCharsets.UTF_8));
      response.headers().set(HttpHeaderNames.CONTENT_TYPE, page.type() + "; charset=utf-8");
      HttpUtil.setContentLength(response, response.content().readableBytes());
      boolean keep = keepAlive && page.status() < 500;
      HttpUtil.setKeepAlive(response, keep);
      ChannelFuture written = context.writeAndFlush(response);
      if (!keep) {
        written.addListener(ChannelFutureListener.CLOSE);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
