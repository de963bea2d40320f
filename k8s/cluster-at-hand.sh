# Which cluster the commands of this folder speak with; they source it in the repository's root.
# KUBECONFIG's, else the local one while its kubeconfig is here, else the user's: the same rule is in
# k8s/local/ordinary.py and loadtest/cluster/access.py. It sets KUBECONFIG, `context` and `is_local`.
local_kubeconfig=$PWD/.cluster/kubeconfig
local_server=https://192.168.200.1:6443 # as k8s/local/places.py has it
if [ -z "${KUBECONFIG:-}" ] && [ -e "$local_kubeconfig" ]; then
    export KUBECONFIG="$local_kubeconfig"
fi

# kubectl or helm: the pinned one for the local cluster, which was built with it; elsewhere the user's own.
program() {
    if [ -z "$is_local" ] && command -v "$1"; then
        return
    fi
    python3 -m k8s.local tool "$1"
}

is_local=
any_kubectl=$(program kubectl)
context=$("$any_kubectl" config current-context)
# By its address: any cluster's context may have the name.
case $("$any_kubectl" config view --minify --output 'jsonpath={.clusters[0].cluster.server}') in
"$local_server") is_local=yes ;;
esac

# The local cluster is behind no proxy; what has to be built before is behind the user's.
past_proxy() {
    if [ -n "$is_local" ]; then
        unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
    fi
}
