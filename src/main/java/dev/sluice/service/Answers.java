package dev.sluice.service;

import jakarta.ws.rs.core.Response;

import dev.sluice.http.ErrorAnswer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** JAX-RS responses of the service's doors. */
final class Answers {

    private Answers() {
    }

    static Response of(RoutingContext request, ErrorAnswer answer) {
        var contentType = ErrorAnswer.contentType(request);
        var response = Response.status(answer.status()).type(contentType).entity(answer.body(contentType));
        return (answer.status() == 401 ? response.header("WWW-Authenticate", "Bearer") : response).build();
    }

    static Response ok(JsonObject body) {
        return Response.ok(body.encode(), ErrorAnswer.JSON).build();
    }
}
