package dev.sluice.service.grpc;

import java.net.BindException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.http.CredentialFailures;
import dev.sluice.redis.EventLoops;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.HttpPipelineInitializer;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.tls.CertificateUpdatedEvent;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerOptions;

/**
 * Opens the gRPC server, if its port is set: an HTTP/2 server of Vert.x on all event loops. It opens after the warm-up and before
 * the HTTP server.
 */
@ApplicationScoped
class GrpcEndpoint {

    /** Maximum size of a message in bytes. An event loop decodes and hashes it in some milliseconds. */
    static final int MAX_MESSAGE_SIZE = 2 << 20;

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int MAX_PORT = 65535;
    private static final int MAX_STREAMS = 1000;
    private static final int MAX_HEADER_LIST_SIZE = 16 << 10;
    private static final Duration START_TIMEOUT = Duration.ofSeconds(10);
    /** Time for calls in flight at shutdown; watches of health are then cut. */
    private static final long DRAIN_MILLIS = 2000;
    /**
     * A proxy resets a stream when its own timeout is over, 20 ms in Envoy. Vert.x closes a connection on which a client resets more
     * than 200 streams in 30 seconds, which would cut the proxy off whenever Redis is slow.
     */
    private static final int MAX_RESETS_PER_SECOND = 20_000;

    private final Vertx vertx;
    private final GrpcConfig settings;
    private final ServiceConfig service;
    private final GrpcTls tls;
    private final String host;
    private final Instance<GrpcService> services;
    private final CredentialFailures failures;
    private final List<GrpcCallObserver> observers;
    private final Collection<HttpServer> servers = new ConcurrentLinkedQueue<>();
    private final Set<HttpConnection> connections = ConcurrentHashMap.newKeySet();

    GrpcEndpoint(Vertx vertx, GrpcConfig settings, ServiceConfig service, GrpcTls tls,
            @ConfigProperty(name = "quarkus.http.host") String host, @Any Instance<GrpcService> services,
            CredentialFailures failures, @All List<GrpcCallObserver> observers) {
        this.vertx = vertx;
        this.settings = settings;
        this.service = service;
        this.tls = tls;
        this.host = host;
        this.services = services;
        this.failures = failures;
        this.observers = observers;
    }

    void validate(@Observes ConfigProblems problems) {
        settings.port().filter(port -> port < 1 || port > MAX_PORT)
                .ifPresent(port -> problems.add("rate-limit.grpc.port", port.toString(), "1 to 65535, or not set for no gRPC"));
        tls.validate(problems);
    }

    void start(@Observes @Priority(2500) StartupEvent started) {
        if (settings.port().isEmpty()) {
            return;
        }
        int port = settings.port().get();
        try {
            // One after the other: if the port is in use, the first one fails.
            for (var context : EventLoops.contexts(vertx)) {
                var opened = Promise.<Void>promise();
                context.runOnContext(now -> Future.succeededFuture().compose(any -> open(port)).onComplete(opened));
                await(opened.future());
            }
        } catch (ExecutionException e) {
            close();
            throw new ConfigurationException("Sluice does not start: port " + port
                    + (e.getCause() instanceof BindException ? " is in use" : " cannot be opened: " + e.getCause().getMessage())
                    + "; set RATE_LIMIT_GRPC_PORT to another one");
        } catch (TimeoutException e) {
            close();
            throw new ConfigurationException("Sluice does not start: port " + port
                    + " (RATE_LIMIT_GRPC_PORT) was not opened within " + START_TIMEOUT.toSeconds() + " s");
        }
        LOG.infof("gRPC: port %d, %s, %s", port, tls.isEnabled() ? "TLS" : "not encrypted",
                token(service.apiToken()).isPresent() ? "with the API token (RATE_LIMIT_API_TOKEN)" : "without a token");
    }

    /** Runs before the store is closed. */
    void stop(@Observes @Priority(5) ShutdownEvent stopping) {
        if (!servers.isEmpty()) {
            close();
        }
    }

    private void close() {
        try {
            await(Future.join(connections.stream().map(GrpcEndpoint::drain).toList()).otherwiseEmpty());
            await(Future.join(servers.stream().map(HttpServer::close).toList()).otherwiseEmpty());
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("The gRPC server could not be closed", e);
        } finally {
            servers.clear();
        }
    }

    private static Future<Void> drain(HttpConnection connection) {
        try {
            return connection.shutdown(DRAIN_MILLIS, TimeUnit.MILLISECONDS);
        } catch (UnsupportedOperationException e) {
            return connection.close(); // HTTP/1, which is not served
        }
    }

    void onUpdate(@Observes CertificateUpdatedEvent event) {
        if (tls.isNamed(event.name())) {
            servers.forEach(server -> server.updateSSLOptions(tls.options()));
        }
    }

    private static <T> T await(Future<T> task) throws ExecutionException, TimeoutException {
        try {
            return task.toCompletionStage().toCompletableFuture().get(START_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExecutionException(e);
        }
    }

    private static Optional<String> token(Optional<String> configured) {
        return configured.filter(token -> !token.isBlank()).map(String::strip);
    }

    private HttpServerOptions options(int port) {
        var options = new HttpServerOptions().setHost(host).setPort(port)
                .setIdleTimeout((int) service.connections().idleTimeout().toSeconds())
                .setInitialSettings(
                        new Http2Settings().setMaxConcurrentStreams(MAX_STREAMS).setMaxHeaderListSize(MAX_HEADER_LIST_SIZE))
                .setHttp2RstFloodMaxRstFramePerWindow(MAX_RESETS_PER_SECOND).setHttp2RstFloodWindowDuration(1)
                .setHttp2RstFloodWindowDurationTimeUnit(TimeUnit.SECONDS);
        tls.configure(options);
        return options;
    }

    /** Opens the server of the current event loop; all of them share the port. */
    private Future<Void> open(int port) {
        var server = GrpcServer.server(vertx, new GrpcServerOptions().setMaxMessageSize(MAX_MESSAGE_SIZE));
        services.forEach(each -> each.addTo(server));
        var http = vertx.createHttpServer(options(port)).requestHandler(
                new GrpcRequestGuard(server, token(service.apiToken()), token(service.adminToken()), failures, observers,
                        service.connections().bodyTimeout().toMillis()));
        http.connectionHandler(connection -> {
            connections.add(connection);
            HttpPipelineInitializer.consolidateFlushes(connection);
            connection.exceptionHandler(failure -> LOG.debug("gRPC connection failed", failure));
            connection.closeHandler(closed -> connections.remove(connection));
        });
        servers.add(http);
        return http.listen().mapEmpty();
    }
}
