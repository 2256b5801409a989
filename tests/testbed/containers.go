package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

const lookAgain = 200 * time.Millisecond

// containers have the processes of containers with a terminal: one each, from the
// first attach until it ends, or its pod does, whoever is attached meanwhile.
type containers struct {
	client  kubernetes.Interface
	folder  string
	mutex   sync.Mutex
	running map[string]*process
}

type process struct {
	command  *exec.Cmd
	terminal *os.File
	started  metav1.Time
	ended    chan struct{}
	mutex    sync.Mutex
	outputs  map[io.Writer]bool
}

func newContainers(kubeconfig, folder string) (*containers, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	return &containers{client: client, folder: folder, running: map[string]*process{}}, err
}

// specOf finds a container of any kind, and what the pod's status says of it.
func specOf(pod *v1.Pod, name string) (*v1.Container, *v1.ContainerStatus) {
	spec := pod.Spec
	all := append(append([]v1.Container{}, spec.Containers...), spec.InitContainers...)
	for _, one := range spec.EphemeralContainers {
		all = append(all, v1.Container(one.EphemeralContainerCommon))
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i], statusOf(pod, name)
		}
	}
	return nil, nil
}

func statusOf(pod *v1.Pod, name string) *v1.ContainerStatus {
	for _, all := range [][]v1.ContainerStatus{
		pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses, pod.Status.EphemeralContainerStatuses,
	} {
		for i := range all {
			if all[i].Name == name {
				return &all[i]
			}
		}
	}
	return nil
}

// attach joins a container's own process; false where the container has no terminal.
func (c *containers) attach(ctx context.Context, namespace, name, container string, in io.Reader, out io.Writer,
	resize <-chan remotecommand.TerminalSize,
) (bool, error) {
	pod, err := c.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	spec, status := specOf(pod, container)
	if spec == nil || !spec.TTY {
		return false, nil
	}
	if status == nil || status.State.Running == nil {
		return true, fmt.Errorf("container %s of pod %s/%s is not running", container, namespace, name)
	}
	own, err := c.own(pod, spec, out)
	if err != nil {
		return true, err
	}
	defer own.leave(out)
	go func() {
		for size := range resize {
			_ = pty.Setsize(own.terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	gone := make(chan struct{})
	if in != nil {
		go func() { _, _ = io.Copy(own.terminal, in); close(gone) }()
	}
	select {
	case <-own.ended:
	case <-gone:
	case <-ctx.Done():
	}
	return true, nil
}

// own gives the process of a container, started if it is not there; its output goes to out from now on.
func (c *containers) own(pod *v1.Pod, spec *v1.Container, out io.Writer) (*process, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	key := string(pod.UID) + "/" + spec.Name
	if own := c.running[key]; own != nil {
		own.mutex.Lock()
		own.outputs[out] = true
		own.mutex.Unlock()
		return own, nil
	}
	words := append(append([]string{}, spec.Command...), spec.Args...)
	if len(spec.Command) == 0 {
		words = []string{"sh"}
	}
	command := exec.Command(words[0], words[1:]...)
	command.Dir = c.folder
	command.Env = append(os.Environ(), "CONTAINER="+spec.Name, "TERM=xterm-256color")
	terminal, err := pty.Start(command)
	if err != nil {
		return nil, err
	}
	own := &process{
		command: command, terminal: terminal, started: metav1.Now(), ended: make(chan struct{}),
		outputs: map[io.Writer]bool{out: true},
	}
	c.running[key] = own
	go c.until(key, own, pod, spec.Name)
	go c.endWithPod(own, pod)
	return own, nil
}

// until reads a process to its end, and tells the API server how that was.
func (c *containers) until(key string, own *process, pod *v1.Pod, container string) {
	own.read()
	err := own.command.Wait()
	own.terminal.Close()
	c.mutex.Lock()
	delete(c.running, key)
	c.mutex.Unlock()
	code := int32(0)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = int32(exit.ExitCode())
		if code < 0 { // by a signal, which a shell tells as 128 and its number
			code = 128 + int32(exit.Sys().(syscall.WaitStatus).Signal())
		}
	}
	c.tell(pod, container, own.started, code)
	close(own.ended)
}

func (own *process) read() {
	piece := make([]byte, 32*1024)
	for {
		n, err := own.terminal.Read(piece)
		if err != nil {
			return
		}
		own.mutex.Lock()
		outputs := make([]io.Writer, 0, len(own.outputs))
		for out := range own.outputs {
			outputs = append(outputs, out)
		}
		own.mutex.Unlock()
		for _, out := range outputs {
			if _, err := out.Write(piece[:n]); err != nil {
				own.leave(out)
			}
		}
	}
}

func (own *process) leave(out io.Writer) {
	own.mutex.Lock()
	defer own.mutex.Unlock()
	delete(own.outputs, out)
}

// endWithPod kills a process and all of its session when its pod is deleted or has ended.
func (c *containers) endWithPod(own *process, pod *v1.Pod) {
	for {
		select {
		case <-own.ended:
			return
		case <-time.After(lookAgain):
		}
		now, err := c.client.CoreV1().Pods(pod.Namespace).Get(context.Background(), pod.Name, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			continue // it may be that only the API server is away
		}
		over := err != nil || now.UID != pod.UID || now.DeletionTimestamp != nil ||
			now.Status.Phase == v1.PodFailed || now.Status.Phase == v1.PodSucceeded
		if over {
			_ = syscall.Kill(-own.command.Process.Pid, syscall.SIGKILL)
			return
		}
	}
}

// tell sets a container's state, and its pod's phase where that is not started again.
func (c *containers) tell(pod *v1.Pod, container string, started metav1.Time, code int32) {
	pods := c.client.CoreV1().Pods(pod.Namespace)
	_ = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		now, err := pods.Get(context.Background(), pod.Name, metav1.GetOptions{})
		if err != nil || now.UID != pod.UID || now.Status.Phase != v1.PodRunning {
			return err
		}
		status := statusOf(now, container)
		if status == nil {
			return nil
		}
		reason := map[bool]string{true: "Completed", false: "Error"}[code == 0]
		ended := &v1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, StartedAt: started, FinishedAt: metav1.Now(), ContainerID: status.ContainerID,
		}
		ephemeral := true
		for _, one := range now.Spec.Containers {
			ephemeral = ephemeral && one.Name != container
		}
		if !ephemeral && now.Spec.RestartPolicy == v1.RestartPolicyAlways {
			status.RestartCount++
			status.LastTerminationState = v1.ContainerState{Terminated: ended}
			status.State = v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: metav1.Now()}}
		} else {
			status.State = v1.ContainerState{Terminated: ended}
			status.Ready = false
		}
		if !ephemeral && now.Spec.RestartPolicy == v1.RestartPolicyNever {
			now.Status.Phase = phaseOf(now.Status.ContainerStatuses)
		}
		_, err = pods.UpdateStatus(context.Background(), now, metav1.UpdateOptions{})
		return err
	})
}

func phaseOf(all []v1.ContainerStatus) v1.PodPhase {
	phase := v1.PodSucceeded
	for _, one := range all {
		if one.State.Terminated == nil {
			return v1.PodRunning
		}
		if one.State.Terminated.ExitCode != 0 {
			phase = v1.PodFailed
		}
	}
	return phase
}
