// In the frame after a HIT was submitted: tells the page around it, from a sandbox too.
window.top.postMessage("crowdloom:submitted", "*");
