package dev.sluice.llm.client;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import io.quarkus.rest.client.reactive.Url;
import io.smallrye.mutiny.Uni;

/** Any provider's API, as far as all are alike. Public only because its implementation is made in another class loader. */
@Path("")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public interface ProviderRestApi {

    /** @param url with path and query; it takes the place of the client's own */
    @POST
    Uni<Response> post(@Url String url, String body);
}
