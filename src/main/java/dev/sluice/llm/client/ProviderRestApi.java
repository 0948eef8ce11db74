package dev.sluice.llm.client;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import io.quarkus.rest.client.reactive.Url;
import io.smallrye.mutiny.Uni;

/** REST client of any provider. Internal; public only because its implementation is generated in another class loader. */
@Path("")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(MediaType.APPLICATION_JSON)
public interface ProviderRestApi {

    /**
     * Posts JSON.
     *
     * @param url the absolute URL with path and query; overrides the client's own
     * @param body the JSON to send
     * @return the response, whatever its status
     */
    @POST
    Uni<Response> post(@Url String url, String body);
}
