# frozen_string_literal: true

module Api
  module V1
    class MediaController < Api::BaseController
      before_action -> { doorkeeper_authorize! :write, :'write:media' }
      before_action :require_user!

      def show
        render json: MediaAttachment.find(params[:id])
      end

      def create
        file = params[:file]
        return render json: { error: "Validation failed: File can't be blank" }, status: :unprocessable_entity unless file.respond_to?(:tempfile)

        render json: MediaAttachment.take(current_user.account, file)
      end
    end
  end
end
