package dev.sluice.service.api.transfer;

import java.util.function.Consumer;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.directory.IdentityStore;
import dev.sluice.http.RequestRefusedException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.service.edge.ReservedPaths;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.token.AdminAccess;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * The endpoints {@code GET /v1/export} and {@code POST /v1/import}. Routes and not JAX-RS resources, because their bodies are
 * streamed and not bounded. They require an admin token of write scope: an export contains the hashes of the keys.
 */
@ApplicationScoped
class TransferRoutes {

    static final String EXPORT = "/v1/export";
    static final String IMPORT = "/v1/import";

    /** After authentication (-200) and authorization (-100) of Quarkus, before the gateway (-50), which reads bodies. */
    private static final int ORDER = -60;

    private final EndpointAuthorization authorization;
    private final IdentityStore store;
    private final IdentityImporter importer;
    private final ReservedPaths reserved;
    private final long bodyTimeoutMillis;

    TransferRoutes(EndpointAuthorization authorization, IdentityStore store, IdentityImporter importer,
            ReservedPaths reserved, ServiceConfig settings) {
        this.reserved = reserved;
        this.authorization = authorization;
        this.store = store;
        this.importer = importer;
        this.bodyTimeoutMillis = settings.connections().bodyTimeout().toMillis();
    }

    void register(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle);
    }

    private void handle(RoutingContext context) {
        var path = context.normalizedPath();
        switch (reserved.contains(path) ? path : "") {
            case EXPORT -> respond(context, HttpMethod.GET, access -> {
                QueryParameters.allow(context);
                new ExportSession(context, store).start();
            });
            case IMPORT -> respond(context, HttpMethod.POST, access -> {
                QueryParameters.allow(context, "mode");
                var mode = ImportSession.mode(QueryParameters.text(context, "mode"));
                ExpectContinue.accept(context.request());
                new ImportSession(context, importer, mode, access).start(bodyTimeoutMillis);
            });
            default -> context.next();
        }
    }

    private void respond(RoutingContext context, HttpMethod method, Consumer<AdminAccess> endpoint) {
        if (context.request().method() != method) {
            context.response().putHeader("Allow", method.name());
            ServiceErrors.forStatus(405).send(context);
            return;
        }
        if (!context.request().isEnded()) {
            context.request().pause();
        }
        context.addHeadersEndHandler(head -> {
            if (context.response().getStatusCode() >= 400) {
                ImportSession.discardBody(context);
            }
        });
        authorization.authorizeWriter(context, access -> {
            try {
                endpoint.accept(access);
            } catch (RequestRefusedException e) {
                e.errorResponse().send(context);
            }
        });
    }
}
