# Which cluster the commands of this folder speak with; they source it in the repository's root.
# It sets KUBECONFIG (the local cluster's, where there is one and nothing else is said) and `context`.
local_kubeconfig=$PWD/.cluster/kubeconfig
if [ -z "${KUBECONFIG:-}" ] && [ -e "$local_kubeconfig" ]; then
    export KUBECONFIG="$local_kubeconfig"
fi

# kubectl or helm: the pinned one for the local cluster, which was built with it; elsewhere the user's own.
program() {
    if [ "$context" != nlpserve ] && command -v "$1"; then
        return
    fi
    python3 -m k8s.local tool "$1"
}

context=
context=$("$(program kubectl)" config current-context)

# The local cluster is behind no proxy; what has to be built before is behind the user's.
past_proxy() {
    if [ "$context" = nlpserve ]; then
        unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
    fi
}
