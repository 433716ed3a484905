# Varnish before Kinora: it keeps segments, subtitles and storyboards and serves them itself, and asks Kinora whether an address is good.
#
# Start it with `varnishd -f …/kinora.vcl -a :80 -s malloc,4g`, and tell Kinora whom to believe about addresses:
# `gateway.trusted_proxies = ["127.0.0.1"]`. TLS is for what stands before Varnish.
#
# A signed address is good for one log-in, and a segment is the same for everybody. So a request for a segment goes round twice:
# first as the question whether this address is good for who asks, whose answer is kept for ten seconds; and only if it is, as the
# segment, which the cache knows by its asset and name alone. So do the other files that never change; the question asked for them is
# another one, which does not count as watching. Manifests, and the keys of encrypted videos, are never kept. What
# has ended (log out, a new password, an account that is gone) is over here at most ten seconds later.

vcl 4.1;

backend kinora {
    .host = "127.0.0.1";
    .port = "8080";
    # Parts of an upload are joined before that is answered.
    .first_byte_timeout = 3600s;
    # Events may be quiet for a while.
    .between_bytes_timeout = 3600s;
}

sub vcl_recv {
    if (req.restarts == 0) {
        # These are ours; nobody may send them.
        unset req.http.X-Kinora-Step;
        unset req.http.X-Kinora-Url;
        unset req.http.X-Kinora-Range;
        unset req.http.X-Kinora-If-Range;
        unset req.http.X-Kinora-If-None-Match;
    }
    # Members of a party keep a WebSocket open.
    if (req.http.Upgrade ~ "(?i)^websocket$" && req.url ~ "^/api/v1/parties/[A-Za-z0-9_-]{22}/socket(\?|$)") {
        return (pipe);
    }
    if (req.http.X-Kinora-Step == "segment") {
        set req.url = req.http.X-Kinora-Url;
        if (req.http.X-Kinora-Range) { set req.http.Range = req.http.X-Kinora-Range; }
        if (req.http.X-Kinora-If-Range) { set req.http.If-Range = req.http.X-Kinora-If-Range; }
        if (req.http.X-Kinora-If-None-Match) { set req.http.If-None-Match = req.http.X-Kinora-If-None-Match; }
        # Who asks was looked at before; what is kept is nobody's.
        unset req.http.Authorization;
        unset req.http.Cookie;
        return (hash);
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # /media/{playback}/{session}/{account}/{expires}/{signature}/{asset}/{track}/{file}
    if (req.url ~ "^/media/([0-9a-z]{1,13}/){3}[0-9]{1,12}/[A-Za-z0-9_-]{22}/[0-9a-z]{1,13}/([av][0-9]{1,12}/(init\.mp4|[0-9]{1,12}\.m4s)|s[0-9]{1,19}/1\.vtt|b[0-9]{1,12}/[0-9]{1,12}\.jpg)$") {
        set req.http.X-Kinora-Step = "check";
        set req.http.X-Kinora-Url = req.url;
        if (req.url ~ "\.m4s$") {
            set req.url = regsub(req.url, "[^/]+/[^/]+$", "check");
        } else {
            set req.url = regsub(req.url, "[^/]+/[^/]+$", "check-once");
        }
        # What is asked of the segment is not asked of the check.
        if (req.http.Range) { set req.http.X-Kinora-Range = req.http.Range; unset req.http.Range; }
        if (req.http.If-Range) { set req.http.X-Kinora-If-Range = req.http.If-Range; unset req.http.If-Range; }
        if (req.http.If-None-Match) { set req.http.X-Kinora-If-None-Match = req.http.If-None-Match; unset req.http.If-None-Match; }
        unset req.http.If-Modified-Since;
        return (hash);
    }
    return (pass);
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = req.http.Connection;
}

sub vcl_hash {
    if (req.http.X-Kinora-Step == "segment") {
        # Asset, track and file.
        hash_data(regsub(req.url, "^.*/([^/]+/[^/]+/[^/]+)$", "\1"));
    } else {
        hash_data("check");
        hash_data(req.url);
        hash_data(req.http.Authorization);
        hash_data(req.http.Cookie);
    }
    return (lookup);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.status != 200) {
        # Neither kept nor waited for.
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    unset beresp.http.Vary;
    unset beresp.http.X-Request-Id;
    if (bereq.http.X-Kinora-Step == "check") {
        set beresp.ttl = 10s;
    } else {
        set beresp.ttl = 365d;
    }
    return (deliver);
}

sub vcl_deliver {
    if (req.http.X-Kinora-Step == "check" && resp.status == 200) {
        set req.http.X-Kinora-Step = "segment";
        return (restart);
    }
    if (req.http.X-Kinora-Step == "segment") {
        if (obj.hits > 0) {
            set resp.http.X-Cache = "HIT";
        } else {
            set resp.http.X-Cache = "MISS";
        }
    }
}
