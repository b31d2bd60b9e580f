package dev.tern.gateway.http;

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
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Answers `GET` of a fixed set of paths.
public final class AdminDoor implements AutoCloseable {
  private static final int MAX_REQUEST_BYTES = 64 << 10;

  /// What a path answers.
  ///
  /// @param status HTTP status
  /// @param type media type
  /// @param body text
  public record Page(int status, String type, String body) {}

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("tern-admin", true), NioIoHandler.newFactory());
  private final Map<String, Supplier<Page>> routes;
  private @Nullable Channel listener;

  /// @param routes by path; a supplier runs on the door's loop, for each request
  public AdminDoor(Map<String, Supplier<Page>> routes) {
    this.routes = new LinkedHashMap<>(routes);
  }

  /// Opens the port.
  ///
  /// @return the port, for when 0 was given
  /// @throws IOException if the port cannot be had
  public int listen(String host, int port) throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
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
    return ((InetSocketAddress) bound.channel().localAddress()).getPort();
  }

  @Override
  public void close() {
    if (listener != null) {
      listener.close().awaitUninterruptibly();
    }
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }

  private Page answer(FullHttpRequest request) {
    if (!request.decoderResult().isSuccess()) {
      return new Page(400, "text/plain", "this is no HTTP request\n");
    }
    Supplier<Page> route = routes.get(new QueryStringDecoder(request.uri()).path());
    if (route == null) {
      return new Page(404, "text/plain", "there is " + String.join(", ", routes.keySet()) + "\n");
    }
    if (!request.method().equals(HttpMethod.GET)) {
      return new Page(405, "text/plain", "only GET is offered\n");
    }
    return route.get();
  }

  private final class Requests extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      Page page = answer(request);
      FullHttpResponse response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.valueOf(page.status()),
              Unpooled.copiedBuffer(page.body(), StandardCharsets.UTF_8));
      response.headers().set(HttpHeaderNames.CONTENT_TYPE, page.type() + "; charset=utf-8");
      HttpUtil.setContentLength(response, response.content().readableBytes());
      boolean keep = HttpUtil.isKeepAlive(request) && page.status() < 500;
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
