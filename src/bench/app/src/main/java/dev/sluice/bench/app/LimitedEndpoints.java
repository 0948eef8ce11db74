package dev.sluice.bench.app;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;

import io.smallrye.common.annotation.NonBlocking;

/** Limited endpoints, each by its rule in {@code application.properties}. */
@Path("/")
public class LimitedEndpoints {

    @GET
    @Path("ok")
    @NonBlocking
    public String ok() {
        return "ok";
    }

    @GET
    @Path("full")
    @NonBlocking
    public String full() {
        return "ok";
    }
}
