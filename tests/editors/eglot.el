;;; What the tests need beside the documented configuration: what the server said, and a way to look into the buffer.
;;; Keys come from the terminal, as a user's do.  -*- lexical-binding: t -*-
(require 'eglot)
(require 'json)
(require 'server)
(setq make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      inhibit-startup-screen t
      server-socket-dir (getenv "DRIVE")
      server-name "emacs")

(defvar drive-messages nil)
(defvar drive-status "")
(defvar drive-buffer nil)
(cl-defmethod eglot-handle-notification :before (_server (_method (eql window/showMessage)) &key message &allow-other-keys)
  (push message drive-messages))
(cl-defmethod eglot-handle-notification (_server (_method (eql sidelight/status)) &key state &allow-other-keys)
  (setq drive-status state))

(defun drive-state (out)
  "Write what can be seen now to the file OUT."
  (with-current-buffer drive-buffer
    (let* ((hints (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))
           (state (list :messages (vconcat (reverse drive-messages))
                        :status drive-status
                        :mode (if (active-minibuffer-window) "minibuffer" "n")
                        :hints (vconcat hints)
                        :buffer (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max))))))
      (let ((coding-system-for-write 'utf-8) (text (json-encode state)))
        (write-region text nil out nil 'silent))))
  nil)

(defun drive-log (out)
  "Write Eglot's own record of the wire to the file OUT."
  (with-current-buffer drive-buffer
    (when-let* ((server (eglot-current-server)))
      (with-current-buffer (jsonrpc-events-buffer server)
        (write-region (point-min) (point-max) out nil 'silent))))
  nil)

(find-file (getenv "FILE"))
(setq drive-buffer (current-buffer))
(server-start)
